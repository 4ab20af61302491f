#pragma once

#include "search/qcqa/stage_one.hpp"

namespace regroup::search {

/// What QCQA's second stage chooses for each unit.
enum class StageTwoChoice {
  kFrontMember,  ///< any member of the unit's stage-1 front
  kBit,          ///< the paper: grouped or left as it is. "Grouped" is the stage-1 member with at
                 ///< most k groups, the same k in all units; k is part of the candidate
};

/// The front of the whole model and how it was found.
struct StageTwoResult {
  std::vector<ModelPoint> front;  ///< by ascending size
  History history;
  std::size_t evaluations = 0;
};

/// QCQA stage 2 (arXiv 2406.10247; METHODS §2): NSGA-II over the units' choices, objectives
/// (KV heads, Σ cost). The first population holds the uniform choices and those of greedy marginal
/// allocation. Throws Interrupted on `stop`.
StageTwoResult qcqa_stage_two(const GroupingProblem& problem, const std::vector<UnitFront>& fronts,
                              StageTwoChoice choice, const Nsga2Options& options, RandomKey key,
                              std::stop_token stop, Progress& progress);

}  // namespace regroup::search
