#pragma once

#include <stop_token>
#include <vector>

#include "search/history.hpp"
#include "search/nsga2.hpp"
#include "search/problem.hpp"
#include "search/progress.hpp"

namespace regroup::search {

/// Which partitions QCQA's first stage looks at.
enum class GroupSizes {
  kArbitrary,  ///< QCQA-AC
  kEqual,      ///< QCQA-EC
};

/// What stage 1 looks at, and how long.
struct StageOneOptions {
  GroupSizes sizes = GroupSizes::kArbitrary;
  int group_limit = 0;  ///< most groups of a unit; 0: as many as it has heads
  Nsga2Options nsga2;
};

/// A partition of one unit's front and what it costs.
struct FrontMember {
  Partition partition;
  double cost = 0;
};

/// Non-dominated partitions of one unit, from few groups to many; never empty, begins with one
/// group.
using UnitFront = std::vector<FrontMember>;

/// Fronts of all units and how they were found.
struct StageOneResult {
  std::vector<UnitFront> fronts;  ///< one per unit of the problem
  History history;                ///< units in order
  std::size_t evaluations = 0;
};

/// QCQA stage 1 (arXiv 2406.10247; METHODS §2): NSGA-II on every unit by itself, objectives
/// (number of groups, cost). The first population holds the neighbour partitions of every size;
/// the front that the last generation leaves is polished by local search. Units run in parallel,
/// each on its own key. Throws Interrupted on `stop`.
StageOneResult qcqa_stage_one(const GroupingProblem& problem, const StageOneOptions& options,
                              RandomKey key, std::stop_token stop, Progress& progress);

}  // namespace regroup::search
