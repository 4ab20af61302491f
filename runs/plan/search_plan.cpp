#include "runs/plan/search_plan.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <string_view>
#include <utility>

#include "models/merge/operators/merge_table.hpp"
#include "models/recipes/mergeable.hpp"
#include "models/recipes/valid_widths.hpp"
#include "runs/base/option_checks.hpp"
#include "runs/plan/option_record.hpp"
#include "runs/plan/plan_checks.hpp"
#include "search/exact/subset_dp.hpp"

namespace regroup::runs {
namespace {

using nlohmann::ordered_json;

// What is taken where nothing is asked for.
constexpr std::string_view kProvingMethod = "exact";
constexpr std::string_view kLargeMethod = "qcqa";
constexpr std::string_view kFitness = "fisher";
constexpr std::string_view kAllocatingFitness = "wse";
constexpr std::string_view kMerge = "optimal";
/// Where nothing can be folded into queries and outputs.
constexpr std::string_view kUnfoldedMerge = "mean";

/// Types of KV cache that points are measured with unless asked otherwise.
constexpr std::array kDefaultCaches = {models::CacheType::kQ8_0, models::CacheType::kQ4_0};

/// The order in which runs have recorded their options since the first ones; what came later
/// follows in the order of the tables.
constexpr std::array<std::string_view, 32> kRecordOrder = {
    "method",       "fitness",       "merge",         "renorm",      "refit",       "reconstruct",
    "partitions",   "allocation",    "stage_two",     "dgqa",        "population",  "generations",
    "evaluations",  "patience",      "seconds",       "nodes",       "layout",      "min_groups",
    "group_limit",  "freeze_layers", "distance",      "iterations",  "accept",      "reset",
    "kv",           "cache_budget",  "cache_context", "cache_batch", "eval_tokens", "measure",
    "cache_dtypes", "dtype"};

template <class T>
void sort_and_unique(std::vector<T>& values) {
  std::ranges::sort(values);
  values.erase(std::unique(values.begin(), values.end()), values.end());
}

/// Whether the exact method proves every layer.
bool is_provable(const fitness::Price& price, const models::MergeOperator& merge,
                 const models::ModelConfig& config) {
  return search::is_small(config.kv_heads,
                          [&](int members) { return price.group_work(config, merge, members); });
}

std::size_t place_of(const std::vector<std::unique_ptr<search::SearchMethod>>& methods,
                     std::string_view name) {
  const auto found =
      std::ranges::find_if(methods, [&](const auto& m) { return m->name() == name; });
  return static_cast<std::size_t>(found - methods.begin());
}

/// The types asked for, or the usual ones where the model has them and anything is measured.
std::vector<models::CacheType> cache_types(const SearchRequest& request,
                                           const models::ModelConfig& config) {
  std::vector<models::CacheType> types;
  if (request.cache_dtypes == std::vector<std::string>{"none"}) return types;
  for (const std::string& name : request.cache_dtypes) {
    types.push_back(models::find_cache_type(name, "--cache-dtype"));
  }
  if (types.empty() && request.measured_points > 0) {
    std::ranges::copy_if(kDefaultCaches, std::back_inserter(types),
                         [&](models::CacheType type) { return models::has_cache(config, type); });
  }
  sort_and_unique(types);
  return types;
}

/// Whether wide groups, a part of the best known combination, go with what was asked for: no merge
/// is named, the price knows widths, nothing is chosen by measuring, keys and values share their
/// partitions, no layer is frozen, and stock engines run such a model.
bool widens(const SearchRequest& request, const models::ModelConfig& config) {
  const fitness::Fitness* summed = request.price->summed();
  return config.takes_wide_heads && models::can_widen_keys(config) &&
         request.recipe.merge == nullptr && summed != nullptr && summed->prices_widths() &&
         request.allocation == Allocation::kProxy &&
         request.rules.sharing == search::PartitionSharing::kJoint &&
         request.rules.frozen_layers.empty();
}

/// Fills in what was left open.
void complete(SearchRequest& request, const models::ModelConfig& config) {
  const bool allocates = request.method && request.methods[*request.method]->allocates_queries();
  if (!request.price) {
    request.price.emplace(fitness::find_fitness(allocates ? kAllocatingFitness : kFitness));
  }
  if (request.widths.empty() && !allocates && widens(request, config)) {
    request.widths = {std::string(kStockWidths)};
  }
  models::RecipeRequest& recipe = request.recipe;
  // A measured search converts the model for every candidate: too often for refits.
  const bool refits = recipe.merge == nullptr && !allocates && !request.price->is_measured();
  const models::Refit most =
      models::can_refit_queries(config) ? models::Refit::kBoth : models::Refit::kOutput;
  if (!recipe.refit) recipe.refit = refits ? most : models::Refit::kNone;
  if (recipe.merge == nullptr) {
    recipe.merge =
        &models::find_merge(allocates || !models::can_fold(config) ? kUnfoldedMerge : kMerge);
  }
  if (!request.method) {
    const bool proves = is_provable(*request.price, *recipe.merge, config);
    request.method = place_of(request.methods, proves ? kProvingMethod : kLargeMethod);
  }
  for (const auto& method : request.methods) method->complete(request.price->is_measured());
  sort_and_unique(request.kv);
  sort_and_unique(request.rules.frozen_layers);
}

/// What the request's options hold now, in the order that records have.
ordered_json record_of(SearchRequest& request) {
  ordered_json held = option_record(request.options());
  held["dtype"] = models::config_name(request.compute.dtype);
  ordered_json record;
  for (const std::string_view key : kRecordOrder) record[std::string(key)] = held[std::string(key)];
  for (const auto& [key, value] : held.items()) record[key] = value;
  return record;
}

}  // namespace

bool SearchPlan::uses_calibration() const {
  return !data.calibration.empty() || method->allocates_queries() ||
         method->head_distances() == search::HeadDistance::kActivation ||
         recipe.needs_calibration() || price.needs() >= models::MergeNeeds::kMoments;
}

bool SearchPlan::uses_gradients() const {
  return recipe.merge->needs() == models::MergeNeeds::kGradients ||
         price.needs() == models::MergeNeeds::kGradients;
}

SearchPlan make_plan(SearchRequest request, const models::ModelConfig& config) {
  search::require_in_range(request.options());
  for (const double limit : request.kv) require_kv_limit(limit);
  complete(request, config);
  const WidthChoice widths = read_widths(request.widths, config);
  request.widths = words_of(widths);
  request.compute_choice.is_objective = is_compute_asked(request.objectives);
  request.objectives = words_of(request.compute_choice);
  const std::vector<models::CacheType> caches = cache_types(request, config);
  request.cache_dtypes.clear();
  for (const models::CacheType type : caches) {
    request.cache_dtypes.emplace_back(models::cache_type_name(type));
  }
  ordered_json record = record_of(request);
  SearchPlan plan{.place = std::move(request.place),
                  .method = std::move(request.methods[*request.method]),
                  .price = *request.price,
                  .recipe = request.recipe.recipe(),
                  .allocation = request.allocation,
                  .rules = std::move(request.rules),
                  .widths = widths,
                  .compute_choice = request.compute_choice,
                  .kv = std::move(request.kv),
                  .cache = std::move(request.cache),
                  .data = std::move(request.data),
                  .measuring = {request.measured_points, caches, request.uptrain_tokens},
                  .seed = static_cast<std::uint64_t>(request.seed),
                  .compute = request.compute,
                  .options = std::move(record)};
  require_consistent(plan);
  return plan;
}

}  // namespace regroup::runs
