#include "runs/plan/search_options.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <utility>

#include "fitness/fitness.hpp"
#include "fitness/measured_score.hpp"
#include "models/merge/merge_operator.hpp"
#include "models/merge/operators/merge_table.hpp"
#include "runs/base/option_checks.hpp"
#include "runs/plan/choices.hpp"
#include "search/base/error.hpp"
#include "search/exact/subset_dp.hpp"
#include "search/method/method.hpp"
#include "search/methods/method_table.hpp"

namespace regroup::runs {
namespace {

/// A method that allocates query heads cannot follow every rule.
void require_allocatable(const SearchOptions& options) {
  if (!search::make_method(options.method)->allocates_queries()) return;
  if (find_sharing(options.partitions) != search::PartitionSharing::kJoint) {
    throw InputError({.what = "keys and values share the allocation of this method",
                      .where = "--partitions",
                      .expected = fmt::format("joint, for --method {}", options.method),
                      .found = options.partitions});
  }
  if (find_shape(options.layout) != search::GroupShape::kAny) {
    throw InputError({.what = "groups of this method serve unlike numbers of query heads",
                      .where = "--layout",
                      .expected = fmt::format("any, for --method {}", options.method),
                      .found = options.layout});
  }
}

/// A method that allocates query heads can only use shared heads as they are.
void require_merge_use(const SearchOptions& options) {
  const bool allocates = search::make_method(options.method)->allocates_queries();
  if (!allocates || !options.recipe().merge->folds()) return;
  throw InputError(
      {.what = "this merge folds into each head what only its own group can use",
       .where = "--merge",
       .expected = fmt::format("mean, first, medoid or weighted, for --method {}", options.method),
       .found = options.merge});
}

/// The fitness is one that the method can minimise.
void require_fitness(const SearchOptions& options) {
  if (!is_measured_search(options)) {
    fitness::find_fitness(options.fitness);
    return;
  }
  std::vector<std::string_view> measuring;
  for (const std::string_view name : search::method_names()) {
    if (search::make_method(name)->takes_score()) measuring.push_back(name);
  }
  if (search::make_method(options.method)->takes_score()) return;
  throw InputError(
      {.what = "method needs prices that add up over layers, what is measured does not",
       .where = fmt::format("--method, --fitness {}", options.fitness),
       .expected = fmt::format("--method {}", fmt::join(measuring, ", ")),
       .found = options.method});
}

void require_seeds_use(const SearchOptions& options) {
  if (options.seed_groupings.empty() || search::make_method(options.method)->takes_seeds()) return;
  std::vector<std::string_view> seeded;
  for (const std::string_view name : search::method_names()) {
    if (search::make_method(name)->takes_seeds()) seeded.push_back(name);
  }
  throw InputError({.what = "this method does not begin with groupings that are given",
                    .where = "--seed-grouping",
                    .expected = fmt::format("--method {}", fmt::join(seeded, ", ")),
                    .found = options.method});
}

/// Layers can only be measured one by one where the method knows what it found for each.
void require_allocation_use(const SearchOptions& options) {
  if (!options.allocates_by_measuring()) return;
  if (is_measured_search(options)) {
    throw InputError({.what = "the whole search is by measuring already",
                      .where = "--allocation",
                      .expected = fmt::format("proxy, beside --fitness {}", options.fitness),
                      .found = options.allocation});
  }
  std::vector<std::string_view> fitting;
  for (const std::string_view name : search::method_names()) {
    if (search::make_method(name)->knows_units()) fitting.push_back(name);
  }
  if (search::make_method(options.method)->knows_units()) return;
  throw InputError({.what = "this method does not choose layer by layer",
                    .where = "--allocation measured",
                    .expected = fmt::format("--method {}", fmt::join(fitting, ", ")),
                    .found = options.method});
}

void require_caches_use(const SearchOptions& options) {
  if (options.cache_dtypes.empty() || options.measure > 0) return;
  throw InputError({.what = "no points are measured with any cache",
                    .where = "--cache-dtype",
                    .expected = "--measure N with N at least 1 beside it"});
}

void require_selection_use(const SearchOptions& options) {
  if (options.selection.empty() || selects_by_measuring(options)) return;
  throw InputError({.what = "nothing is selected by a measured loss",
                    .where = "--selection",
                    .expected = "--fitness loss or accuracy, or --allocation measured beside it"});
}

/// Whether the exact method proves every layer.
bool is_provable(const SearchOptions& options, const models::ModelConfig& config) {
  const models::MergeOperator& merge = models::find_merge(options.merge);
  return search::is_small(config.kv_heads, [&](int members) {
    if (is_measured_search(options)) return 0.0;
    return fitness::find_fitness(options.fitness).group_work(config, merge, members);
  });
}

}  // namespace

void SearchOptions::complete(const models::ModelConfig& config) {
  const bool allocates_queries =
      !method.empty() && search::make_method(method)->allocates_queries();
  if (fitness.empty()) fitness = allocates_queries ? "wse" : "fisher";
  // A measured search converts the model for every candidate: too often for refits.
  const bool refits = merge.empty() && !allocates_queries && !is_measured_search(*this);
  const char* most = config.query_key_norm ? "output" : "both";
  if (refit.empty()) refit = refits ? most : "none";
  if (merge.empty()) merge = allocates_queries ? "mean" : "optimal";
  if (method.empty()) method = is_provable(*this, config) ? "exact" : "qcqa";
  if (partitions.empty()) partitions = "joint";
  if (allocation.empty()) allocation = "proxy";
  complete_caches(config);
}

models::MergeRecipe SearchOptions::recipe() const {
  return {models::find_merge(merge), renorm, models::find_refit(refit), reconstruct};
}

nlohmann::ordered_json SearchOptions::result_options() const {
  return {{"method", method},
          {"fitness", fitness},
          {"merge", merge},
          {"renorm", renorm},
          {"refit", refit},
          {"reconstruct", reconstruct},
          {"partitions", partitions},
          {"allocation", allocation},
          {"stage_two", stage_two},
          {"dgqa", dgqa},
          {"population", population},
          {"generations", generations},
          {"evaluations", evaluations},
          {"patience", patience},
          {"seconds", seconds},
          {"nodes", nodes},
          {"layout", layout},
          {"min_groups", min_groups},
          {"group_limit", group_limit},
          {"freeze_layers", freeze_layers},
          {"distance", distance},
          {"iterations", iterations > 0              ? iterations
                         : is_measured_search(*this) ? search::kMeasuredIterations
                                                     : search::kPricedIterations},
          {"accept", accept},
          {"reset", reset},
          {"kv", kv},
          {"cache_budget", cache.budget},
          {"cache_context", cache.context},
          {"cache_batch", cache.batch},
          {"eval_tokens", eval_tokens},
          {"measure", measure},
          {"cache_dtypes", cache_dtypes},
          {"dtype", dtype}};
}

bool selects_by_measuring(const SearchOptions& options) {
  return is_measured_search(options) || options.allocates_by_measuring();
}

bool is_measured_search(const SearchOptions& options) {
  return fitness::find_measured_fitness(options.fitness) != nullptr;
}

std::unique_ptr<search::SearchMethod> method_of(const SearchOptions& options) {
  auto methods = search::make_methods();
  const std::vector<search::Option> known = search::method_options(methods);
  const auto set = [&](const char* flag, const search::OptionValue& value) {
    search::set(known, flag, value);
  };
  set("--stage-two", options.stage_two);
  set("--population", options.population);
  set("--generations", options.generations);
  set("--evaluations", options.evaluations);
  set("--patience", options.patience);
  set("--seconds", options.seconds);
  set("--nodes", options.nodes);
  set("--dgqa", options.dgqa);
  set("--distance", options.distance);
  set("--iterations", options.iterations);
  set("--accept", options.accept);
  set("--reset", options.reset);
  search::require_in_range(known);
  for (auto& method : methods) {
    method->complete(is_measured_search(options));
    if (method->name() == options.method) return std::move(method);
  }
  return search::make_method(options.method);
}

bool uses_calibration(const SearchOptions& options) {
  const auto method = method_of(options);
  if (!options.calibration.empty() || method->allocates_queries()) return true;
  if (method->head_distances() == search::HeadDistance::kActivation) return true;
  if (options.recipe().needs_calibration()) return true;
  return !is_measured_search(options) &&
         fitness::find_fitness(options.fitness).needs() >= models::MergeNeeds::kMoments;
}

bool uses_gradients(const SearchOptions& options) {
  if (options.recipe().merge->needs() == models::MergeNeeds::kGradients) return true;
  return !is_measured_search(options) &&
         fitness::find_fitness(options.fitness).needs() == models::MergeNeeds::kGradients;
}

void require_valid(const SearchOptions& options) {
  constexpr int kMany = 1'000'000;
  method_of(options);
  require_fitness(options);
  models::require_valid(options.recipe());
  require_merge_use(options);
  find_allocation(options.allocation);
  require_allocation_use(options);
  find_sharing(options.partitions);
  require_allocatable(options);
  find_shape(options.layout);
  require_valid(options.cache);
  require_range(options.min_groups, 1, search::Partition::kMaxHeads, "--min-groups");
  require_range(options.group_limit, 0, search::Partition::kMaxHeads, "--group-limit");
  require_seeds_use(options);
  require_selection_use(options);
  require_caches_use(options);
  require_range(options.measure, 0, kMany, "--measure");
  require_range(options.seed, 0, kLargestOption, "--seed");
  require_range(options.eval_tokens, 0, kLargestOption, "--eval-tokens");
  if (options.eval_tokens > 0 && options.eval.empty()) {
    throw InputError({.what = "there is no text to limit",
                      .where = "--eval-tokens",
                      .expected = "--eval FILE beside it"});
  }
  for (const double limit : options.kv) require_kv_limit(limit);
}

}  // namespace regroup::runs
