#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace regroup::search {

/// The objectives of every search, all minimised. `size` counts KV heads; `error` is what the
/// fitness says, in its own unit; `compute` is multiplications per decoded token relative to the
/// source (METHODS §2.5). Where all candidates have the same compute, it decides nothing.
struct Objectives {
  double size = 0;
  double error = 0;
  double compute = 0;
  bool operator==(const Objectives&) const = default;
};

/// No worse in all and better in one; equal points do not dominate each other.
bool dominates(const Objectives& a, const Objectives& b);

/// By size, then error, then compute: a point comes before all that it dominates.
bool comes_before(const Objectives& a, const Objectives& b);

/// Rank of every point: 0 for the non-dominated ones, 1 for those left when rank 0 is gone, and so
/// on; equal points share a rank. Points are swept by size, and the front a point joins is found by
/// bisection over the fronts (Jensen, IEEE TEC 7(5), 2003). O(N log N) where all points have the
/// same compute: the last point of a front then says whether the front dominates another one. Else
/// O(N log² N): a front's staircase of error and compute says so. Objectives must not be NaN.
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

/// Volume of what the points dominate below `reference`, in all three objectives and their own
/// units. Points that do not lie below it in every objective add nothing. Exact but for rounding,
/// and the same for any order of the points. O(N log N): points are swept by compute, and a
/// staircase of size and error holds the area that is dominated so far.
double hypervolume(std::span<const Objectives> points, const Objectives& reference);

}  // namespace regroup::search
