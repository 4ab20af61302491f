#pragma once

#include <span>
#include <vector>

#include "runs/points/run_points.hpp"
#include "search/base/random.hpp"

namespace regroup::runs {

/// Says of measured points how far the windows that happened to be there decide: the interval of
/// every point's change of loss, and of every baseline in what share of the resamples the search
/// has the lower loss. The search's point is the one that answers the same KV limit, without limits
/// the largest that is no larger than the baseline; a baseline without one says nothing. losses[i]:
/// of points[i] on every window. A single window says nothing of others.
void compare_points(std::vector<RunPoint>& points, std::span<const std::vector<double>> losses,
                    std::span<const double> source, search::RandomKey key);

}  // namespace regroup::runs
