#pragma once

#include "search/costs/gram_cost.hpp"

namespace regroup::search {

/// A rough price of any group from the costs c of its pairs alone: what the group would cost if
/// merging were averaging of vectors with these distances,
///
///     cost(g) ≈ (2 / |g|) Σ_{i<j∈g} c(i, j)
///
/// exact for pairs and for a GramCost. It prices n (n − 1) / 2 groups of `table`.
GramCost pair_sketch(const CostTable& table);

}  // namespace regroup::search
