#pragma once

#include <vector>

#include "search/problem/problem.hpp"
#include "search/problem/unit_front.hpp"

namespace regroup::search {

/// A member index for every unit.
using Choice = std::vector<std::size_t>;

/// Choices from the largest member of every unit down to the smallest: each step shrinks the unit
/// that pays least per KV head saved, along the lower convex hull of its front. Each choice is
/// optimal for its own size among the hulls' members (Fox, "Discrete optimization via marginal
/// analysis", Management Science 13(3), 1966). O(steps · units · front).
std::vector<Choice> marginal_allocation(const std::vector<Unit>& units,
                                        const std::vector<UnitFront>& fronts);

}  // namespace regroup::search
