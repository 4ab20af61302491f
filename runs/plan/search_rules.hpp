#pragma once

#include <vector>

#include "models/pretrained/pretrained_model.hpp"
#include "runs/plan/search_options.hpp"
#include "search/groupings/grouping_rules.hpp"

namespace regroup::runs {

/// The limits of the KV ratio that a run answers, ascending: --kv and what --cache-budget comes to.
std::vector<double> kv_limits(const SearchOptions& options, const models::PretrainedModel& model);

/// The groupings that the options allow for this model, at most of the largest KV limit. Throws
/// InputError if they allow none, contradict each other, or a KV limit cannot be reached.
search::GroupingRules grouping_rules(const SearchOptions& options,
                                     const models::PretrainedModel& model);

}  // namespace regroup::runs
