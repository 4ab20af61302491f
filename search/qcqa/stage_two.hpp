#pragma once

#include "search/method/method.hpp"
#include "search/problem/unit_front.hpp"
#include "search/qcqa/qcqa_options.hpp"
#include "search/qcqa/qcqa_state.hpp"

namespace regroup::search {

/// The front of the whole model, by ascending size.
///
/// QCQA stage 2 (arXiv 2406.10247; METHODS §2): NSGA-II over the units' choices, objectives (KV
/// heads, Σ cost), within the problem's limit of KV heads. The first population holds the uniform
/// choices, those of greedy marginal allocation and those of the seed groupings. `state` is kept up
/// to date and gone on from as in stage 1. Throws Interrupted on the context's stop.
std::vector<ModelPoint> qcqa_stage_two(const GroupingProblem& problem,
                                       const std::vector<UnitFront>& fronts,
                                       const QcqaOptions& options, const MethodContext& context,
                                       QcqaState& state);

}  // namespace regroup::search
