#pragma once

#include <vector>

#include "models/architecture/model_config.hpp"
#include "runs/plan/search_plan.hpp"
#include "search/method/method.hpp"

namespace regroup::runs {

/// What the method found in groups of one width.
struct WidthResult {
  const search::GroupingProblem* problem;  ///< never null
  search::MethodResult found;
};

/// One result of all widths: the best of all fronts, or of all choices of a width by layer where
/// the plan lets layers differ; histories and proofs one after another. Compute counts where it is
/// an objective, and stays within the plan's limit. Throws InputError if nothing does, Interrupted.
search::MethodResult joined_result(const SearchPlan& plan, const models::ModelConfig& config,
                                   std::vector<WidthResult> results,
                                   const search::MethodContext& context);

}  // namespace regroup::runs
