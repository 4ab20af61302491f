#include "runs/plan/plan_checks.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string>

#include "search/base/error.hpp"
#include "search/groupings/rule_options.hpp"
#include "search/methods/method_table.hpp"

namespace regroup::runs {
namespace {

/// "--method exact, qcqa": the methods of which something is true.
template <class Condition>
std::string methods_that(Condition condition) {
  std::vector<std::string_view> names;
  for (const auto& method : search::make_methods()) {
    if (condition(*method)) names.push_back(method->name());
  }
  return fmt::format("--method {}", fmt::join(names, ", "));
}

/// What an option of the rules says.
std::string said_of(search::GroupingRules rules, std::string_view flag) {
  const std::vector<search::Option> options = search::options(rules);
  return std::get<std::string>(
      *search::value_of(*std::ranges::find(options, flag, &search::Option::flag)));
}

/// The price is one that the method can minimise.
void require_price_use(const SearchPlan& plan) {
  if (!plan.price.is_measured() || plan.method->takes_score()) return;
  throw InputError(
      {.what = "method needs prices that add up over layers, what is measured does not",
       .where = fmt::format("--method, --fitness {}", plan.price.name()),
       .expected = methods_that([](const search::SearchMethod& m) { return m.takes_score(); }),
       .found = std::string(plan.method->name())});
}

/// A method that allocates query heads can only use shared heads as they are.
void require_merge_use(const SearchPlan& plan) {
  if (!plan.method->allocates_queries() || !plan.recipe.merge->folds()) return;
  throw InputError({.what = "this merge folds into each head what only its own group can use",
                    .where = "--merge",
                    .expected = fmt::format("mean, first, medoid or weighted, for --method {}",
                                            plan.method->name()),
                    .found = std::string(plan.recipe.merge->name())});
}

/// Points are trained where they are measured, and data for it are of use then.
void require_uptrain_use(const SearchPlan& plan) {
  const bool trains = plan.measuring.uptrain_tokens > 0;
  if (trains && plan.measuring.points == 0) {
    throw InputError({.what = "no points are measured that could be trained",
                      .where = "--uptrain",
                      .expected = "--measure of 1 or more"});
  }
  if (!trains && !plan.data.uptrain.empty()) {
    throw InputError({.what = "data for a training that is not asked for",
                      .where = "--uptrain-data",
                      .expected = "--uptrain N beside it"});
  }
}

/// Layers can only be measured one by one where the method knows what it found for each.
void require_allocation_use(const SearchPlan& plan) {
  if (!plan.allocates_by_measuring()) return;
  if (plan.price.is_measured()) {
    throw InputError({.what = "the whole search is by measuring already",
                      .where = "--allocation",
                      .expected = fmt::format("proxy, beside --fitness {}", plan.price.name()),
                      .found = "measured"});
  }
  if (plan.widths.is_free || plan.widths.may_mix) {
    throw InputError({.what = "layers are measured in groups of one width",
                      .where = "--allocation measured",
                      .expected = "--width head, stock or one multiple",
                      .found = fmt::format("--width {}", fmt::join(words_of(plan.widths), ","))});
  }
  if (plan.method->knows_units()) return;
  throw InputError(
      {.what = "this method does not choose layer by layer",
       .where = "--allocation measured",
       .expected = methods_that([](const search::SearchMethod& m) { return m.knows_units(); }),
       .found = std::string(plan.method->name())});
}

/// A method that allocates query heads cannot follow every rule.
void require_rules_use(const SearchPlan& plan) {
  if (!plan.method->allocates_queries()) return;
  if (plan.rules.sharing != search::PartitionSharing::kJoint) {
    throw InputError({.what = "keys and values share the allocation of this method",
                      .where = "--partitions",
                      .expected = fmt::format("joint, for --method {}", plan.method->name()),
                      .found = said_of(plan.rules, "--partitions")});
  }
  if (plan.rules.shape == search::GroupShape::kAny) return;
  throw InputError({.what = "groups of this method serve unlike numbers of query heads",
                    .where = "--layout",
                    .expected = fmt::format("any, for --method {}", plan.method->name()),
                    .found = said_of(plan.rules, "--layout")});
}

/// Groups of other widths are merged, priced and stored as such.
void require_width_use(const SearchPlan& plan) {
  if (plan.widths.is_head()) return;
  const auto refuse = [](std::string what, std::string expected, std::string_view found) {
    throw InputError({.what = std::move(what),
                      .where = "--width",
                      .expected = std::move(expected),
                      .found = std::string(found)});
  };
  if (!plan.recipe.merge->is_wide()) {
    refuse("this merge makes heads of the source's width alone", "--merge optimal, or --width head",
           plan.recipe.merge->name());
  }
  const fitness::Fitness* summed = plan.price.summed();
  if (summed != nullptr && !summed->prices_widths()) {
    refuse("this price knows no widths", "--fitness fisher or residual, or --width head",
           summed->name());
  }
  if (plan.widths.is_free && summed == nullptr) {
    refuse("free widths are chosen by prices that add up", "--fitness fisher or residual",
           plan.price.name());
  }
  if (plan.widths.may_mix && !plan.method->knows_units()) {
    refuse("this method does not choose layer by layer",
           methods_that([](const search::SearchMethod& m) { return m.knows_units(); }) +
               ", or one width",
           plan.method->name());
  }
  if (plan.widths.is_free && plan.rules != search::GroupingRules()) {
    refuse("free widths are of one group in every layer",
           "no --partitions, --layout, --min-groups, --group-limit or --freeze-layers",
           "rules of groups");
  }
}

void require_data_use(const SearchPlan& plan) {
  if (!plan.data.seed_groupings.empty() && !plan.method->takes_seeds()) {
    throw InputError(
        {.what = "this method does not begin with groupings that are given",
         .where = "--seed-grouping",
         .expected = methods_that([](const search::SearchMethod& m) { return m.takes_seeds(); }),
         .found = std::string(plan.method->name())});
  }
  if (!plan.data.selection.empty() && !plan.selects_by_measuring()) {
    throw InputError(
        {.what = "nothing is selected by a measured loss",
         .where = "--selection",
         .expected = "--fitness loss or accuracy, or --allocation measured beside it"});
  }
  if (plan.data.eval_tokens > 0 && plan.data.eval.empty()) {
    throw InputError({.what = "there is no text to limit",
                      .where = "--eval-tokens",
                      .expected = "--eval FILE beside it"});
  }
}

void require_caches_use(const SearchPlan& plan) {
  if (plan.measuring.caches.empty() || plan.measuring.points > 0) return;
  throw InputError({.what = "no points are measured with any cache",
                    .where = "--cache-dtype",
                    .expected = "--measure N with N at least 1 beside it"});
}

}  // namespace

void require_consistent(const SearchPlan& plan) {
  require_price_use(plan);
  models::require_valid(plan.recipe);
  require_merge_use(plan);
  require_allocation_use(plan);
  require_rules_use(plan);
  require_width_use(plan);
  require_data_use(plan);
  require_caches_use(plan);
  require_uptrain_use(plan);
}

}  // namespace regroup::runs
