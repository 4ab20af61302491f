#include "fitness/rank_correlation.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "search/base/error.hpp"

namespace regroup::fitness {
namespace {

constexpr double kUndefined = std::numeric_limits<double>::quiet_NaN();

void check(std::span<const double> x, std::span<const double> y) {
  if (x.size() != y.size()) {
    throw InputError({.what = "a rank correlation needs two samples of one length",
                      .where = {},
                      .expected = std::to_string(x.size()),
                      .found = std::to_string(y.size())});
  }
  const auto is_nan = [](double v) { return std::isnan(v); };
  if (std::ranges::any_of(x, is_nan) || std::ranges::any_of(y, is_nan)) {
    throw InputError({.what = "a rank correlation needs numbers that can be ordered",
                      .where = {},
                      .expected = {},
                      .found = "NaN"});
  }
}

/// Ranks from 1 on; a run of equal values gets the mean of the ranks it covers.
std::vector<double> average_ranks(std::span<const double> values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, {}, [&](std::size_t i) { return values[i]; });
  std::vector<double> ranks(values.size());
  for (std::size_t begin = 0; begin < order.size();) {
    std::size_t end = begin + 1;
    while (end < order.size() && values[order[end]] == values[order[begin]]) ++end;
    const double rank = (static_cast<double>(begin + 1) + static_cast<double>(end)) / 2.0;
    for (std::size_t i = begin; i < end; ++i) ranks[order[i]] = rank;
    begin = end;
  }
  return ranks;
}

int sign(double a, double b) {
  return (a > b) - (a < b);
}

}  // namespace

double spearman(std::span<const double> x, std::span<const double> y) {
  check(x, y);
  if (x.size() < 2) return kUndefined;
  const std::vector<double> ranks_x = average_ranks(x);
  const std::vector<double> ranks_y = average_ranks(y);
  // Ranks are multiples of 1/2 with a known mean, so these sums are exact for any n in reach.
  const double mean = (static_cast<double>(x.size()) + 1.0) / 2.0;
  double xx = 0, yy = 0, xy = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double dx = ranks_x[i] - mean;
    const double dy = ranks_y[i] - mean;
    xx += dx * dx;
    yy += dy * dy;
    xy += dx * dy;
  }
  if (xx == 0 || yy == 0) return kUndefined;
  return std::clamp(xy / std::sqrt(xx * yy), -1.0, 1.0);
}

double kendall(std::span<const double> x, std::span<const double> y) {
  check(x, y);
  long long balance = 0, untied_x = 0, untied_y = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    for (std::size_t j = i + 1; j < x.size(); ++j) {
      const int sx = sign(x[i], x[j]);
      const int sy = sign(y[i], y[j]);
      balance += sx * sy;
      untied_x += sx != 0;
      untied_y += sy != 0;
    }
  }
  if (untied_x == 0 || untied_y == 0) return kUndefined;
  const double scale = std::sqrt(static_cast<double>(untied_x) * static_cast<double>(untied_y));
  return std::clamp(static_cast<double>(balance) / scale, -1.0, 1.0);
}

}  // namespace regroup::fitness
