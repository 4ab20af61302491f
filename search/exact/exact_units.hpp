#pragma once

#include <cstddef>
#include <vector>

#include "search/exact/branch_and_bound.hpp"
#include "search/method/method.hpp"

namespace regroup::search {

/// The best known partition of one unit for every number of groups that it may have, ascending, and
/// what is proven of each.
using ProvenUnit = std::vector<BoundedPartition>;

/// Budget of the exact solvers.
struct ExactOptions {
  GroupSizes sizes = GroupSizes::kArbitrary;
  std::size_t nodes = 10;  ///< subsets relaxed for each unit and number of groups
  double seconds = 0;      ///< after which no tree is explored further; 0: no limit
};

/// Solves every unit: small ones (`is_small`) by dynamic programming over subsets, hence
/// proven; larger ones by branch and bound, the first relaxation of all of them before any is
/// explored further. In parallel; without a limit of time the result does not depend on the number
/// of threads. Throws Interrupted on the context's stop.
std::vector<ProvenUnit> solve_units(const GroupingProblem& problem, const ExactOptions& options,
                                    const MethodContext& context);

}  // namespace regroup::search
