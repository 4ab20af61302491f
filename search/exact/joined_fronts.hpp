#pragma once

#include <span>
#include <vector>

#include "search/problem/certificate.hpp"
#include "search/problem/problem.hpp"

namespace regroup::search {

/// The points of several fronts, such as one for each width of the groups, that none of the others
/// beats in size, error and compute, by ascending size. Of equals the earlier front's stays.
/// O(n log² n), O(n log n) where all have the same compute.
std::vector<ModelPoint> joined_front(std::span<const std::vector<ModelPoint>> fronts);

/// Bounds of all that the fronts they belong to could hold: at every size the least of theirs.
FrontBounds joined_bounds(std::span<const FrontBounds> bounds);

}  // namespace regroup::search
