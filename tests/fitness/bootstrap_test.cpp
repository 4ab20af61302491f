#include "fitness/bootstrap.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "fitness/loss_estimate.hpp"
#include "search/base/error.hpp"
#include "search/base/parallel.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/error_message.hpp"
#include "tests/support/near.hpp"

using namespace regroup;
using namespace regroup::fitness;
using namespace regroup::tests;

namespace {

constexpr int kDraws = kBootstrapResamples;

/// The mean of each of the 27 ways to draw three of three windows.
std::vector<double> every_resample(const std::vector<double>& sample) {
  std::vector<double> means;
  for (const double a : sample) {
    for (const double b : sample) {
      for (const double c : sample) means.push_back((a + b + c) / 3);
    }
  }
  return means;
}

std::vector<double> uniform_values(std::size_t count, std::uint64_t seed) {
  search::RandomStream random{search::RandomKey(seed)};
  std::vector<double> values(count);
  for (double& value : values) value = random.unit();
  return values;
}

/// Values that are distinct for distinct draws, as whole numbers: safe as keys of a map.
long rounded(double mean) {
  return std::lround(mean * 3);
}

}  // namespace

TEST_CASE("three windows are drawn in every way equally often") {
  const std::vector<double> sample = {1, 10, 100};
  std::map<long, double> expected;
  for (const double mean : every_resample(sample)) expected[rounded(mean)] += 1.0 / 27;
  REQUIRE(expected.size() == 10);
  std::map<long, double> found;
  const auto means = bootstrap_means({&sample, 1}, search::RandomKey(3));
  for (const double mean : means[0]) found[rounded(mean)] += 1.0 / kDraws;
  REQUIRE(found.size() == expected.size());
  for (const auto& [mean, share] : expected) {
    const double deviation = std::sqrt(share * (1 - share) / kDraws);
    CHECK(std::abs(found.at(mean) - share) < 4 * deviation);
  }
  // 0.8 leaves out 0.1 on either side: more than the 1/27 of the extreme, less than it and the
  // next.
  const auto interval = bootstrap_interval(sample, search::RandomKey(3), 0.8);
  REQUIRE(interval);
  CHECK(interval->low == Approx((1 + 1 + 10) / 3.0));
  CHECK(interval->high == Approx((10 + 100 + 100) / 3.0));
}

TEST_CASE("with many windows the interval is the normal one") {
  const std::vector<double> sample = uniform_values(400, 8);
  const LossEstimate mean = estimate(sample);
  for (const auto& [confidence, deviations] :
       {std::pair{0.6827, 1.0}, {0.95, 1.959964}, {0.99, 2.575829}}) {
    const auto found = bootstrap_interval(sample, search::RandomKey(9), confidence);
    REQUIRE(found);
    // An end is a quantile of 10,000 draws: off by at most a few hundredths of the deviation.
    CHECK(std::abs(found->low - (mean.mean - deviations * *mean.standard_error)) <
          0.1 * *mean.standard_error);
    CHECK(std::abs(found->high - (mean.mean + deviations * *mean.standard_error)) <
          0.1 * *mean.standard_error);
  }
}

TEST_CASE("the percentile interval interpolates between the means") {
  const Interval half = percentile_interval({5, 1, 4, 2, 3}, 0.5);
  CHECK(half.low == Approx(2));
  CHECK(half.high == Approx(4));
  const Interval wide = percentile_interval({5, 1, 4, 2, 3}, 0.95);
  CHECK(wide.low == Approx(1.1));
  CHECK(wide.high == Approx(4.9));
  const Interval only = percentile_interval({7});
  CHECK(only.low == 7);
  CHECK(only.high == 7);
}

TEST_CASE("all samples see the same draws, and so pairs are compared window by window") {
  const std::vector<double> first = uniform_values(30, 1);
  std::vector<double> above = first;
  for (double& value : above) value += 1e-3;
  std::vector<double> doubled = first;
  for (double& value : doubled) value *= 2;
  const std::vector<std::vector<double>> samples = {first, above, doubled};
  const auto means = bootstrap_means(samples, search::RandomKey(2));
  // Unpaired draws would often turn round an order of so little.
  CHECK(share_lower(means[0], means[1]) == 1);
  CHECK(share_lower(means[1], means[0]) == 0);
  CHECK(share_lower(means[0], means[0]) == 0.5);
  for (std::size_t r = 0; r < means[0].size(); r += 97) {
    CHECK(means[2][r] == Approx(2 * means[0][r]));
  }
  // Two of the three windows favour the first: of the 27 resamples those with at most one draw of
  // the third, 8 + 12.
  const std::vector<std::vector<double>> pair = {{0, 0, 1}, {1, 1, 0}};
  const auto of_pair = bootstrap_means(pair, search::RandomKey(4));
  CHECK(share_lower(of_pair[0], of_pair[1]) == near(20.0 / 27, 0.02));
}

TEST_CASE("a bootstrap depends on its key alone") {
  const std::vector<std::vector<double>> samples = {uniform_values(50, 5), uniform_values(50, 6)};
  const auto means = [&](int threads, std::uint64_t seed) {
    search::set_threads(threads);
    auto result = bootstrap_means(samples, search::RandomKey(seed));
    search::set_threads(1);
    return result;
  };
  CHECK(means(1, 1) == means(3, 1));
  CHECK(means(1, 1) != means(1, 2));
}

TEST_CASE("one window has no interval, and samples of other windows are refused") {
  CHECK_FALSE(bootstrap_interval({3.5}, search::RandomKey(1)));
  CHECK_FALSE(bootstrap_interval({}, search::RandomKey(1)));
  const std::vector<std::vector<double>> unlike = {{1, 2}, {1, 2, 3}};
  CHECK_THAT(error_message<WorkError>([&] { bootstrap_means(unlike, search::RandomKey(1)); }),
             contains("windows"));
  const std::vector<std::vector<double>> none = {{}};
  CHECK_THAT(error_message<WorkError>([&] { bootstrap_means(none, search::RandomKey(1)); }),
             contains("windows"));
  CHECK(bootstrap_means({}, search::RandomKey(1)).empty());
}
