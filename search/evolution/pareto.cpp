#include "search/evolution/pareto.hpp"

#include <algorithm>
#include <limits>
#include <numeric>
#include <tuple>

namespace regroup::search {
namespace {

/// Point numbers by size, then error, then number.
std::vector<std::size_t> order_by_size(std::span<const Objectives> points) {
  std::vector<std::size_t> order(points.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return std::tie(points[a].size, points[a].error, a) <
           std::tie(points[b].size, points[b].error, b);
  });
  return order;
}

void add_gaps(std::span<const Objectives> front, double Objectives::*objective,
              std::vector<double>& distances) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  std::vector<std::size_t> order(front.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return front[a].*objective < front[b].*objective;
  });
  const double range = front[order.back()].*objective - front[order.front()].*objective;
  if (range <= 0) return;
  distances[order.front()] = distances[order.back()] = kInfinity;
  for (std::size_t i = 1; i + 1 < order.size(); ++i) {
    const double gap = front[order[i + 1]].*objective - front[order[i - 1]].*objective;
    distances[order[i]] += gap / range;
  }
}

}  // namespace

bool dominates(const Objectives& a, const Objectives& b) {
  return a.size <= b.size && a.error <= b.error && (a.size < b.size || a.error < b.error);
}

std::vector<int> non_dominated_ranks(std::span<const Objectives> points) {
  std::vector<int> ranks(points.size());
  // The last point of every front. In sweep order it has the least error of its front, and these
  // errors grow with the front's number, so that bisection finds the first front it may join.
  std::vector<Objectives> last;
  for (const std::size_t i : order_by_size(points)) {
    const auto joins = std::partition_point(
        last.begin(), last.end(), [&](const Objectives& end) { return dominates(end, points[i]); });
    ranks[i] = static_cast<int>(joins - last.begin());
    if (joins == last.end()) {
      last.push_back(points[i]);
    } else {
      *joins = points[i];
    }
  }
  return ranks;
}

std::vector<double> crowding_distances(std::span<const Objectives> front) {
  std::vector<double> distances(front.size(), 0.0);
  if (front.empty()) return distances;
  add_gaps(front, &Objectives::size, distances);
  add_gaps(front, &Objectives::error, distances);
  return distances;
}

double hypervolume(std::span<const Objectives> points, double size_scale, double error_scale) {
  double area = 0;
  double ceiling = 1;  // least error so far
  for (const std::size_t i : order_by_size(points)) {
    const double size = std::max(points[i].size / size_scale, 0.0);
    if (size >= 1) break;
    const double error = error_scale > 0 ? std::max(points[i].error / error_scale, 0.0) : 0.0;
    if (error >= ceiling) continue;
    area += (1 - size) * (ceiling - error);
    ceiling = error;
  }
  return area;
}

}  // namespace regroup::search
