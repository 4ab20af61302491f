#pragma once

#include <cstdint>
#include <vector>

#include "search/evolution/pareto.hpp"

namespace regroup::bench {

/// `count` points, uniform in the unit square.
std::vector<search::Objectives> square_points(std::int64_t count);

/// `count` points of one front: (x, 1 − x) for uniform x. Both are multiples of 2⁻⁵³, so that
/// nothing is rounded and no point dominates another.
std::vector<search::Objectives> front_points(std::int64_t count);

}  // namespace regroup::bench
