#pragma once

#include <vector>

#include "models/pretrained/pretrained_model.hpp"
#include "runs/plan/search_plan.hpp"
#include "search/groupings/grouping_rules.hpp"

namespace regroup::runs {

/// The limits of the KV ratio that a run answers, ascending: --kv and what --cache-budget comes to.
std::vector<double> kv_limits(const SearchPlan& plan, const models::PretrainedModel& model);

/// The groupings that the plan allows of this model, at most of the largest KV limit. Throws
/// InputError if it allows none, contradict each other, or a KV limit cannot be reached.
search::GroupingRules grouping_rules(const SearchPlan& plan, const models::PretrainedModel& model);

/// The same rules with each width that the plan allows and that reaches a size within the limit.
std::vector<search::GroupingRules> rules_by_width(const SearchPlan& plan,
                                                  const search::GroupingRules& rules,
                                                  const models::ModelConfig& config);

}  // namespace regroup::runs
