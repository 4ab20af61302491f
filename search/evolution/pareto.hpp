#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace regroup::search {

/// The two objectives of every search, both minimised. `size` counts KV heads; `error` is what
/// the fitness says, in its own unit.
struct Objectives {
  double size = 0;
  double error = 0;
  bool operator==(const Objectives&) const = default;
};

/// No worse in both and better in one; equal points do not dominate each other.
bool dominates(const Objectives& a, const Objectives& b);

/// Rank of every point: 0 for the non-dominated ones, 1 for those left when rank 0 is gone, and so
/// on; equal points share a rank. O(N log N): points are swept by size, and the front a point joins
/// is found by bisection over the last errors of the fronts (Jensen, IEEE TEC 7(5), 2003).
/// Objectives must not be NaN.
///
/// Example: (1, 5) (2, 3) (2, 4) → 0 0 1.
std::vector<int> non_dominated_ranks(std::span<const Objectives> points);

/// Crowding distance (Deb et al., NSGA-II, 2002) of points of one front: the sum over the
/// objectives of the gap between the two neighbours over the objective's range. Ends get infinity;
/// an objective that is constant adds nothing. O(N log N).
std::vector<double> crowding_distances(std::span<const Objectives> front);

/// Area of [0, 1]² dominated by the points, reference point (1, 1); sizes are divided by
/// `size_scale`, errors by `error_scale` (0 if the scale is 0: then every error is). Points outside
/// the square add what of their area lies inside. O(N log N).
double hypervolume(std::span<const Objectives> points, double size_scale, double error_scale);

}  // namespace regroup::search
