#include "tests/search/naive_pareto.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <set>

namespace regroup::tests {
namespace {

using search::Objectives;

constexpr std::array kObjectives = {&Objectives::size, &Objectives::error, &Objectives::compute};

/// The points' coordinates below the reference's, and that one; ascending.
std::vector<double> cuts(const std::vector<Objectives>& points, const Objectives& reference,
                         double Objectives::*objective) {
  std::set<double> values = {reference.*objective};
  for (const Objectives& point : points) {
    if (point.*objective < reference.*objective) values.insert(point.*objective);
  }
  return {values.begin(), values.end()};
}

/// The gap between the neighbours of `point` over the range; 0 where all are alike, infinite at
/// the ends.
double naive_gap(const std::vector<Objectives>& front, std::size_t point,
                 double Objectives::*objective) {
  const double own = front[point].*objective;
  std::optional<double> before;
  std::optional<double> after;
  double least = own;
  double most = own;
  for (std::size_t i = 0; i < front.size(); ++i) {
    const double other = front[i].*objective;
    least = std::min(least, other);
    most = std::max(most, other);
    if (i == point) continue;
    const bool is_before = other < own || (other == own && i < point);
    if (is_before) before = std::max(other, before.value_or(other));
    if (!is_before) after = std::min(other, after.value_or(other));
  }
  if (least == most) return 0;
  if (!before || !after) return std::numeric_limits<double>::infinity();
  return (*after - *before) / (most - least);
}

}  // namespace

bool naive_dominates(const Objectives& a, const Objectives& b) {
  bool is_better = false;
  for (const auto objective : kObjectives) {
    if (a.*objective > b.*objective) return false;
    is_better = is_better || a.*objective < b.*objective;
  }
  return is_better;
}

std::vector<int> naive_ranks(
    const std::vector<Objectives>& points,
    const std::function<bool(const Objectives&, const Objectives&)>& beats) {
  std::vector<int> ranks(points.size(), -1);
  for (int rank = 0;; ++rank) {
    std::vector<std::size_t> front;
    for (std::size_t i = 0; i < points.size(); ++i) {
      if (ranks[i] >= 0) continue;
      bool beaten = false;
      for (std::size_t j = 0; j < points.size(); ++j) {
        beaten = beaten || (ranks[j] < 0 && beats(points[j], points[i]));
      }
      if (!beaten) front.push_back(i);
    }
    if (front.empty()) return ranks;
    for (const std::size_t i : front) ranks[i] = rank;
  }
}

bool naive_beats_within(double size_limit, const Objectives& a, const Objectives& b) {
  const bool a_fits = a.size <= size_limit;
  const bool b_fits = b.size <= size_limit;
  if (a_fits && b_fits) return naive_dominates(a, b);
  return a_fits != b_fits ? a_fits : a.size < b.size;
}

std::vector<double> naive_crowding(const std::vector<Objectives>& front) {
  std::vector<double> distances(front.size(), 0.0);
  for (std::size_t i = 0; i < front.size(); ++i) {
    for (const auto objective : kObjectives) distances[i] += naive_gap(front, i, objective);
  }
  return distances;
}

double naive_hypervolume(const std::vector<Objectives>& points, const Objectives& reference) {
  const std::vector<double> x = cuts(points, reference, &Objectives::size);
  const std::vector<double> y = cuts(points, reference, &Objectives::error);
  const std::vector<double> z = cuts(points, reference, &Objectives::compute);
  double volume = 0;
  for (std::size_t i = 0; i + 1 < x.size(); ++i) {
    for (std::size_t j = 0; j + 1 < y.size(); ++j) {
      for (std::size_t k = 0; k + 1 < z.size(); ++k) {
        const bool is_dominated = std::ranges::any_of(points, [&](const Objectives& point) {
          return point.size <= x[i] && point.error <= y[j] && point.compute <= z[k];
        });
        if (is_dominated) volume += (x[i + 1] - x[i]) * (y[j + 1] - y[j]) * (z[k + 1] - z[k]);
      }
    }
  }
  return volume;
}

}  // namespace regroup::tests
