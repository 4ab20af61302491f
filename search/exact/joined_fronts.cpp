#include "search/exact/joined_fronts.hpp"

#include <algorithm>
#include <iterator>
#include <limits>
#include <set>
#include <utility>

namespace regroup::search {
namespace {

/// The bound of the largest size up to `size`; infinite where there is none so small.
double bound_at(const FrontBounds& known, double size) {
  const auto above = std::ranges::upper_bound(known.bounds, size, {}, &Objectives::size);
  return above == known.bounds.begin() ? std::numeric_limits<double>::infinity()
                                       : std::prev(above)->error;
}

}  // namespace

std::vector<ModelPoint> joined_front(std::span<const std::vector<ModelPoint>> fronts) {
  std::vector<ModelPoint> points;
  for (const std::vector<ModelPoint>& front : fronts) {
    points.insert(points.end(), front.begin(), front.end());
  }
  std::ranges::stable_sort(points, comes_before, &ModelPoint::objectives);
  std::vector<Objectives> objectives;
  for (const ModelPoint& point : points) objectives.push_back(point.objectives);
  const std::vector<int> ranks = non_dominated_ranks(objectives);
  std::vector<ModelPoint> front;
  for (std::size_t i = 0; i < points.size(); ++i) {
    const bool repeats = i > 0 && objectives[i] == objectives[i - 1];
    if (ranks[i] == 0 && !repeats) front.push_back(std::move(points[i]));
  }
  return front;
}

FrontBounds joined_bounds(std::span<const FrontBounds> bounds) {
  std::set<double> sizes;
  FrontBounds joined{{}, true};
  for (const FrontBounds& known : bounds) {
    for (const Objectives& bound : known.bounds) sizes.insert(bound.size);
    joined.is_exact = joined.is_exact && known.is_exact;
  }
  for (const double size : sizes) {
    double least = std::numeric_limits<double>::infinity();
    for (const FrontBounds& known : bounds) least = std::min(least, bound_at(known, size));
    joined.bounds.push_back({size, least});
  }
  return joined;
}

}  // namespace regroup::search
