#pragma once

#include "search/base/random.hpp"
#include "search/costs/cost_table.hpp"
#include "search/problem/unit_front.hpp"

namespace regroup::search {

/// A good partition of the table's heads for each of the numbers of groups (for equal sizes:
/// divisors), the incumbents of a branch and bound. Each is the best of the local optima reached
/// from the neighbours, from exact small pieces, from random partitions, and from the results for
/// one group more and one group less. Of a costly table (pricing_work.hpp) the starts are
/// neighbours and what is good by its sketch, and the work of local search is limited: to
/// `effort` · kMostPolishingWork.
UnitFront good_partitions(const CostTable& table, const std::vector<int>& group_counts,
                          GroupSizes sizes, RandomKey key, double effort = 1);

}  // namespace regroup::search
