#include "search/exact/joined_fronts.hpp"

#include <algorithm>
#include <iterator>
#include <limits>
#include <set>

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
  std::vector<const ModelPoint*> points;
  for (const std::vector<ModelPoint>& front : fronts) {
    for (const ModelPoint& point : front) points.push_back(&point);
  }
  std::ranges::stable_sort(points, [](const ModelPoint* a, const ModelPoint* b) {
    const Objectives& x = a->objectives;
    const Objectives& y = b->objectives;
    return x.size < y.size || (x.size == y.size && x.error < y.error);
  });
  std::vector<ModelPoint> front;
  double least = std::numeric_limits<double>::infinity();
  for (const ModelPoint* point : points) {
    if (point->objectives.error >= least) continue;
    least = point->objectives.error;
    front.push_back(*point);
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
