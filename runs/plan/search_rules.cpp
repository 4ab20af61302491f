#include "runs/plan/search_rules.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "search/base/error.hpp"
#include "search/groupings/grouping.hpp"

namespace regroup::runs {
namespace {

int source_kv_heads(const models::ModelConfig& config) {
  return config.stored_kv_heads();
}

int smallest_kv_heads(const search::GroupingRules& rules, const models::ModelConfig& config) {
  int total = 0;
  for (int layer = 0; layer < config.layers; ++layer) {
    const auto [keys, values, head_dim] = rules.multiples_of(layer);
    const int multiple = std::max(keys, values);
    total += (keys + values) *
             search::allowed_group_counts(rules, layer, config.kv_heads, multiple).front();
  }
  return total;
}

/// Of all widths that the plan allows.
int smallest_kv_heads(const SearchPlan& plan, search::GroupingRules rules,
                      const models::ModelConfig& config) {
  int smallest = source_kv_heads(config);
  if (plan.widths.is_free) return 2 * config.layers;
  for (const search::GroupMultiples& multiples : group_multiples(plan.widths, config)) {
    rules.multiples = multiples;
    smallest = std::min(smallest, smallest_kv_heads(rules, config));
  }
  return smallest;
}

void require_reachable(const SearchPlan& plan, const models::PretrainedModel& model, int smallest) {
  const int source = source_kv_heads(model.config);
  const double smallest_ratio = static_cast<double>(smallest) / source;
  for (const double limit : plan.kv) {
    if (search::kv_heads_within(limit, source) >= smallest) continue;
    throw InputError(
        {.what = "KV size is below the smallest that can be reached",
         .where = "--kv",
         .expected = fmt::format("at least {}, the fewest groups in every layer", smallest_ratio),
         .found = fmt::format("{}", limit)});
  }
  const std::optional<int> budget = kv_heads_in_budget(plan.cache, model);
  if (!budget || *budget >= smallest) return;
  throw InputError({.what = "the KV cache does not fit into the budget",
                    .where = "--cache-budget",
                    .expected = fmt::format("at least {}, the fewest groups in every layer",
                                            size_text(cache_bytes(plan.cache, model, smallest))),
                    .found = plan.cache.budget->text});
}

}  // namespace

std::vector<double> kv_limits(const SearchPlan& plan, const models::PretrainedModel& model) {
  std::vector<double> limits = plan.kv;
  if (const auto budget = kv_heads_in_budget(plan.cache, model)) {
    limits.push_back(static_cast<double>(*budget) / source_kv_heads(model.config));
  }
  std::ranges::sort(limits);
  limits.erase(std::unique(limits.begin(), limits.end()), limits.end());
  return limits;
}

search::GroupingRules grouping_rules(const SearchPlan& plan, const models::PretrainedModel& model) {
  search::GroupingRules rules = plan.rules;
  search::require_consistent(rules, model.config.layers);
  require_reachable(plan, model, smallest_kv_heads(plan, rules, model.config));
  const std::vector<double> limits = kv_limits(plan, model);
  if (!limits.empty()) {
    rules.kv_heads_limit = search::kv_heads_within(limits.back(), source_kv_heads(model.config));
  }
  return rules;
}

std::vector<search::GroupingRules> rules_by_width(const SearchPlan& plan,
                                                  const search::GroupingRules& rules,
                                                  const models::ModelConfig& config) {
  std::vector<search::GroupingRules> all;
  for (const search::GroupMultiples& multiples : group_multiples(plan.widths, config)) {
    search::GroupingRules own = rules;
    own.multiples = multiples;
    const int limit = rules.kv_heads_limit.value_or(source_kv_heads(config));
    if (smallest_kv_heads(own, config) <= limit) all.push_back(std::move(own));
  }
  return all;
}

}  // namespace regroup::runs
