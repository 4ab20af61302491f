#include "fitness/rank_correlation.hpp"

#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "search/base/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/near.hpp"

namespace regroup::fitness {
namespace {

using Sample = std::vector<double>;
using tests::Approx;
using tests::near;

/// 1 + values below + half of the other values that are equal.
Sample naive_ranks(const Sample& values) {
  Sample ranks;
  for (const double v : values) {
    double below = 0, equal = 0;
    for (const double w : values) {
      below += w < v;
      equal += w == v;
    }
    ranks.push_back(below + (equal + 1) / 2);
  }
  return ranks;
}

double mean(const Sample& values) {
  double sum = 0;
  for (const double v : values) sum += v;
  return sum / static_cast<double>(values.size());
}

double naive_pearson(const Sample& x, const Sample& y) {
  const double mx = mean(x), my = mean(y);
  double xx = 0, yy = 0, xy = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    xx += (x[i] - mx) * (x[i] - mx);
    yy += (y[i] - my) * (y[i] - my);
    xy += (x[i] - mx) * (y[i] - my);
  }
  return xy / std::sqrt(xx * yy);
}

/// tau-b from its four pair counts, over all ordered pairs.
double naive_tau(const Sample& x, const Sample& y) {
  double concordant = 0, discordant = 0, tied_x = 0, tied_y = 0, pairs = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    for (std::size_t j = 0; j < x.size(); ++j) {
      if (i == j) continue;
      ++pairs;
      const double product = (x[i] - x[j]) * (y[i] - y[j]);
      concordant += product > 0;
      discordant += product < 0;
      tied_x += x[i] == x[j];
      tied_y += y[i] == y[j];
    }
  }
  return (concordant - discordant) / std::sqrt((pairs - tied_x) * (pairs - tied_y));
}

/// Small whole numbers, so that ties are frequent.
Sample draw(std::uint64_t& state, std::size_t n, std::uint64_t values) {
  Sample sample;
  for (std::size_t i = 0; i < n; ++i) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    sample.push_back(static_cast<double>((state >> 33) % values));
  }
  return sample;
}

TEST_CASE("rank correlations of hand-made samples") {
  const Sample x{1, 2, 3, 4};
  CHECK(spearman(x, Sample{1, 3, 2, 4}) == Approx(0.8));
  CHECK(kendall(x, Sample{1, 3, 2, 4}) == Approx(2.0 / 3));
  CHECK(spearman(x, Sample{10, 100, 1000, 1e9}) == 1.0);
  CHECK(kendall(x, Sample{10, 100, 1000, 1e9}) == 1.0);
  CHECK(spearman(x, Sample{4, 3, 2, 1}) == -1.0);
  CHECK(kendall(x, Sample{4, 3, 2, 1}) == -1.0);
  // Ranks {1, 2.5, 2.5, 4} against {1, 2, 3, 4}: 4.5 / sqrt(4.5 * 5).
  CHECK(spearman(Sample{0, 7, 7, 9}, x) == Approx(4.5 / std::sqrt(22.5)));
  // 5 concordant pairs, 1 tied in the first sample only: 5 / sqrt(5 * 6).
  CHECK(kendall(Sample{0, 7, 7, 9}, x) == Approx(5 / std::sqrt(30.0)));
}

TEST_CASE("rank correlations agree with their definitions, ties included") {
  std::uint64_t state = 1;
  int checked = 0, undefined = 0;
  for (std::size_t n = 0; n < 12; ++n) {
    for (std::uint64_t values = 1; values < 9; ++values) {
      for (int repeat = 0; repeat < 8; ++repeat) {
        const Sample x = draw(state, n, values), y = draw(state, n, values + 1);
        const double rho = spearman(x, y), tau = kendall(x, y);
        CHECK(std::isnan(rho) == std::isnan(tau));
        if (std::isnan(rho)) {
          ++undefined;
          continue;
        }
        ++checked;
        CHECK(rho == near(naive_pearson(naive_ranks(x), naive_ranks(y)), 1e-12));
        CHECK(tau == near(naive_tau(x, y), 1e-12));
        CHECK(std::abs(rho) <= 1.0);
        CHECK(std::abs(tau) <= 1.0);
      }
    }
  }
  CHECK(checked > 300);
  CHECK(undefined > 50);
}

TEST_CASE("rank correlations are undefined for fewer than two values and for constants") {
  CHECK(std::isnan(spearman(Sample{}, Sample{})));
  CHECK(std::isnan(kendall(Sample{}, Sample{})));
  CHECK(std::isnan(spearman(Sample{1}, Sample{2})));
  CHECK(std::isnan(kendall(Sample{1}, Sample{2})));
  CHECK(std::isnan(spearman(Sample{1, 2, 3}, Sample{5, 5, 5})));
  CHECK(std::isnan(kendall(Sample{5, 5, 5}, Sample{1, 2, 3})));
}

TEST_CASE("rank correlations refuse samples of different length and NaN") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_AS(spearman(Sample{1, 2}, Sample{1}), InputError);
  CHECK_THROWS_AS(kendall(Sample{1, 2}, Sample{1}), InputError);
  CHECK_THROWS_AS(spearman(Sample{1, nan}, Sample{1, 2}), InputError);
  CHECK_THROWS_AS(kendall(Sample{1, 2}, Sample{1, nan}), InputError);
  const double infinity = std::numeric_limits<double>::infinity();
  CHECK(spearman(Sample{1, infinity}, Sample{1, 2}) == 1.0);
}

}  // namespace
}  // namespace regroup::fitness
