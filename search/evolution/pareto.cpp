#include "search/evolution/pareto.hpp"

#include <algorithm>
#include <iterator>
#include <limits>
#include <numeric>
#include <tuple>
#include <variant>

#include "search/evolution/staircase.hpp"

namespace regroup::search {
namespace {

/// Point numbers by size, then error, then compute, then number.
std::vector<std::size_t> order_by_size(std::span<const Objectives> points) {
  std::vector<std::size_t> order(points.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return comes_before(points[a], points[b]);
  });
  return order;
}

/// A front of points of one compute, as a sweep by size meets them: the last one has the least
/// error.
class LastPoint {
 public:
  bool dominates(const Objectives& point) const { return search::dominates(last_, point); }
  void add(const Objectives& point) { last_ = point; }

 private:
  Objectives last_;
};

/// A front of any points, as a sweep by size meets them: those that no other one covers in error
/// and compute.
class ErrorAndCompute {
 public:
  bool dominates(const Objectives& point) const {
    const auto* const step = steps_.step_within(point.error);
    return step != nullptr && search::dominates(step->value, point);
  }
  /// A point that the front does not dominate.
  void add(const Objectives& point) { steps_.add(point.error, point.compute, point); }

 private:
  Staircase<Objectives> steps_;
};

template <class Front>
std::vector<int> ranks_by_sweep(std::span<const Objectives> points) {
  std::vector<int> ranks(points.size());
  // What a front dominates, those before it dominate, too, so that bisection finds the first front
  // that a point may join.
  std::vector<Front> fronts;
  for (const std::size_t i : order_by_size(points)) {
    const auto joined = std::partition_point(fronts.begin(), fronts.end(), [&](const Front& front) {
      return front.dominates(points[i]);
    });
    const auto rank = joined - fronts.begin();
    ranks[i] = static_cast<int>(rank);
    if (joined == fronts.end()) fronts.emplace_back();
    fronts[static_cast<std::size_t>(rank)].add(points[i]);
  }
  return ranks;
}

bool has_one_compute(std::span<const Objectives> points) {
  return std::ranges::all_of(
      points, [&](const Objectives& point) { return point.compute == points.front().compute; });
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

/// Steps of size and error that carry nothing.
using SizeAndError = Staircase<std::monostate>;

/// What adding a point that no step covers adds to the area that the staircase dominates below
/// `reference`. O(log n) and the steps that the point covers.
double area_gain(const SizeAndError& steps, const Objectives& point, const Objectives& reference) {
  const auto* const before = steps.step_within(point.size);
  double ceiling = before != nullptr ? before->y : reference.error;
  double from = point.size;
  double gain = 0;
  auto next = steps.steps().upper_bound(from);
  for (; next != steps.steps().end() && ceiling > point.error; ++next) {
    gain += (next->first - from) * (ceiling - point.error);
    from = next->first;
    ceiling = next->second.y;
  }
  return gain + (reference.size - from) * std::max(ceiling - point.error, 0.0);
}

}  // namespace

bool dominates(const Objectives& a, const Objectives& b) {
  return a.size <= b.size && a.error <= b.error && a.compute <= b.compute && a != b;
}

bool comes_before(const Objectives& a, const Objectives& b) {
  return std::tie(a.size, a.error, a.compute) < std::tie(b.size, b.error, b.compute);
}

std::vector<int> non_dominated_ranks(std::span<const Objectives> points) {
  return has_one_compute(points) ? ranks_by_sweep<LastPoint>(points)
                                 : ranks_by_sweep<ErrorAndCompute>(points);
}

std::vector<double> crowding_distances(std::span<const Objectives> front) {
  std::vector<double> distances(front.size(), 0.0);
  if (front.empty()) return distances;
  add_gaps(front, &Objectives::size, distances);
  add_gaps(front, &Objectives::error, distances);
  add_gaps(front, &Objectives::compute, distances);
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

double hypervolume(std::span<const Objectives> points, const Objectives& reference) {
  std::vector<Objectives> inside;
  std::ranges::copy_if(points, std::back_inserter(inside), [&](const Objectives& point) {
    return point.size < reference.size && point.error < reference.error &&
           point.compute < reference.compute;
  });
  std::ranges::sort(inside, [](const Objectives& a, const Objectives& b) {
    return std::tie(a.compute, a.size, a.error) < std::tie(b.compute, b.size, b.error);
  });
  SizeAndError steps;
  double area = 0;
  double volume = 0;
  for (std::size_t i = 0; i < inside.size(); ++i) {
    const Objectives& point = inside[i];
    if (!steps.covers(point.size, point.error)) {
      area += area_gain(steps, point, reference);
      steps.add(point.size, point.error, {});
    }
    const double next = i + 1 < inside.size() ? inside[i + 1].compute : reference.compute;
    volume += area * (next - point.compute);
  }
  return volume;
}

}  // namespace regroup::search
