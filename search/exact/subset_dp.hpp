#pragma once

#include "search/cost_table.hpp"
#include "search/unit_front.hpp"

namespace regroup::search {

/// Most heads that `subset_dp` takes.
inline constexpr int kMostSubsetHeads = 16;

/// The cheapest partition of the table's heads for every number of groups, from 1 to n (for equal
/// sizes: for every divisor of n), and its cost; the first in order of subsets where several cost
/// the same.
///
/// Exact for any additive table, by dynamic programming over subsets: best[k][S] is the minimum
/// over the T ⊆ S that hold S's lowest head of cost(T) + best[k − 1][S ∖ T] (METHODS §8). O(n ·
/// 3ⁿ⁻¹) time, O(n · 2ⁿ⁻¹) memory. Throws InputError for more than kMostSubsetHeads heads.
UnitFront subset_dp(const CostTable& table, GroupSizes sizes);

}  // namespace regroup::search
