#pragma once

#include <vector>

#include "search/method/method.hpp"
#include "search/problem/unit_front.hpp"
#include "search/qcqa/qcqa_options.hpp"
#include "search/qcqa/qcqa_state.hpp"

namespace regroup::search {

/// QCQA stage 1 (arXiv 2406.10247; METHODS §2): NSGA-II on every unit by itself, objectives (number
/// of groups, cost), one front for each unit of the problem. The first population holds the
/// neighbour partitions, exact small pieces and the seed groupings' partitions; the front that the
/// last generation leaves is polished by local search. A costly unit (pricing_work.hpp) evolves by
/// the sketch of its table; what it found is then priced, and polished within a limit of work.
///
/// All units make a generation side by side, each on its own key; then `state` is brought up to
/// date and kept in the context's store. A `state` that has generations already is gone on from.
/// Throws Interrupted on the context's stop.
std::vector<UnitFront> qcqa_stage_one(const GroupingProblem& problem, GroupSizes sizes,
                                      const QcqaOptions& options, const MethodContext& context,
                                      QcqaState& state);

}  // namespace regroup::search
