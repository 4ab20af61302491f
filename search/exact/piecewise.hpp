#pragma once

#include "search/costs/cost_table.hpp"
#include "search/problem/unit_front.hpp"

namespace regroup::search {

/// Good partitions for every number of groups from 1 to n, made of exact small pieces: the heads
/// are cut into pieces of at most eight by a local search, each piece is solved by `subset_dp`, and
/// the groups are split over the pieces by `budget_split`. Optimal among partitions whose groups do
/// not cross pieces, hence for up to eight heads; one group, where pieces must be crossed, is all
/// heads. O(n · 3⁷ + n³).
UnitFront piecewise_partitions(const CostTable& table);

}  // namespace regroup::search
