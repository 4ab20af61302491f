#pragma once

#include <span>
#include <vector>

#include "search/problem/problem.hpp"

namespace regroup::search {

/// The points of a front (by ascending size) to look at more closely, at most `most` ≥ 1 of them,
/// spread evenly over the sizes: first the ends, then the points nearest to the uniform sizes (the
/// same number of groups in every layer, where the baselines lie), then whatever lies farthest from
/// all that are taken. Ascending. O(most² · front).
std::vector<ModelPoint> spread_over_sizes(std::span<const ModelPoint> front,
                                          std::span<const int> uniform_sizes, std::size_t most);

/// The point with the least error among those of at most this size, in heads of the source; null if
/// there is none.
const ModelPoint* best_within(std::span<const ModelPoint> front, double size);

}  // namespace regroup::search
