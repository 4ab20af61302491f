#include "search/problem/front_selection.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

namespace regroup::search {
namespace {

double distance(const ModelPoint& point, double size) {
  return std::abs(point.objectives.size - size);
}

std::size_t nearest(std::span<const ModelPoint> front, double size) {
  const auto found = std::min_element(
      front.begin(), front.end(),
      [&](const auto& a, const auto& b) { return distance(a, size) < distance(b, size); });
  return static_cast<std::size_t>(found - front.begin());
}

/// At most `most` of the sizes, evenly over the list, its ends included.
std::vector<int> spread(std::span<const int> sizes, std::size_t most) {
  if (sizes.size() <= most || most < 2) return {sizes.begin(), sizes.end()};
  std::vector<int> chosen;
  for (std::size_t i = 0; i < most; ++i) {
    chosen.push_back(sizes[i * (sizes.size() - 1) / (most - 1)]);
  }
  return chosen;
}

/// The point, not taken yet, whose nearest taken point is farthest away; the smallest on ties.
std::size_t most_remote(std::span<const ModelPoint> front, const std::set<std::size_t>& taken) {
  std::size_t best = 0;
  double best_gap = -1;
  for (std::size_t i = 0; i < front.size(); ++i) {
    if (taken.contains(i)) continue;
    double gap = std::numeric_limits<double>::infinity();
    for (const std::size_t t : taken) {
      gap = std::min(gap, distance(front[i], front[t].objectives.size));
    }
    if (gap > best_gap) {
      best = i;
      best_gap = gap;
    }
  }
  return best;
}

}  // namespace

std::vector<ModelPoint> spread_over_sizes(std::span<const ModelPoint> front,
                                          std::span<const int> uniform_sizes, std::size_t most) {
  std::set<std::size_t> taken;
  if (!front.empty()) taken.insert(0);
  if (front.size() > 1 && most > 1) taken.insert(front.size() - 1);
  for (const int size : spread(uniform_sizes, most)) {
    if (taken.size() < std::min(most, front.size())) taken.insert(nearest(front, size));
  }
  while (taken.size() < std::min(most, front.size())) taken.insert(most_remote(front, taken));
  std::vector<ModelPoint> points;
  for (const std::size_t i : taken) points.push_back(front[i]);
  return points;
}

const ModelPoint* best_within(std::span<const ModelPoint> front, double size) {
  const ModelPoint* best = nullptr;
  for (const ModelPoint& point : front) {
    if (point.objectives.size > size) continue;
    if (best == nullptr || point.objectives.error < best->objectives.error) best = &point;
  }
  return best;
}

}  // namespace regroup::search
