#include "fitness/rank_agreement.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "fitness/rank_correlation.hpp"
#include "search/base/error.hpp"
#include "search/base/random.hpp"
#include "tests/support/catch.hpp"

namespace regroup::fitness {
namespace {

using tests::Approx;

/// Small whole numbers, so that ties are frequent.
PricedSample draw(search::RandomStream& random, int groupings) {
  PricedSample sample;
  for (int i = 0; i < groupings; ++i) {
    sample.prices.push_back(random.below(5));
    sample.measured.push_back(random.below(5));
  }
  return sample;
}

/// Mean over every choice that the proxy may make: an order of the sample decides between ties.
double naive_regret(PricedSample sample) {
  const std::size_t n = sample.prices.size();
  double sum = 0;
  int choices = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const bool is_first =
        std::ranges::none_of(sample.prices, [&](double price) { return price < sample.prices[i]; });
    if (!is_first) continue;
    std::vector<double> sorted = sample.measured;
    std::ranges::sort(sorted);
    sum += sample.measured[i] - sorted.front();
    ++choices;
  }
  return sum / choices;
}

TEST_CASE("the regret of hand-made samples") {
  CHECK(regret({{2, 1, 3}, {10, 12, 11}}) == 2.0);
  CHECK(regret({{1, 2, 3}, {10, 12, 11}}) == 0.0);
  CHECK(regret({{5}, {-3}}) == 0.0);
  CHECK(regret({{1, 1, 2}, {4, 6, 3}}) == 2.0);
}

TEST_CASE("the regret agrees with its definition and is never negative") {
  search::RandomStream random{search::RandomKey(3)};
  int ties = 0, regretted = 0;
  for (int repeat = 0; repeat < 400; ++repeat) {
    const PricedSample sample = draw(random, 1 + random.below(8));
    const double found = regret(sample);
    CHECK(found == Approx(naive_regret(sample)));
    CHECK(found >= 0.0);
    const double first = *std::ranges::min_element(sample.prices);
    ties += std::ranges::count(sample.prices, first) > 1;
    regretted += found > 0;
  }
  CHECK(ties > 50);
  CHECK(regretted > 100);
}

TEST_CASE("a regret needs prices and measurements") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_AS(regret({}), InputError);
  CHECK_THROWS_AS(regret({{1, 2}, {1}}), InputError);
  CHECK_THROWS_AS(regret({{1, nan}, {1, 2}}), InputError);
  CHECK_THROWS_AS(regret({{1, 2}, {nan, 2}}), InputError);
}

TEST_CASE("rank agreement is the mean over the samples that have a ranking") {
  const PricedSample up{{1, 2, 3}, {4, 5, 6}};
  const PricedSample down{{1, 2}, {4, 3}};
  const PricedSample mixed{{1, 2, 3, 4}, {1, 3, 2, 4}};
  const PricedSample alone{{1}, {2}};
  const PricedSample flat{{1, 1}, {2, 3}};
  const std::vector<PricedSample> one{mixed};
  CHECK(rank_agreement(one).spearman == spearman(mixed.prices, mixed.measured));
  CHECK(rank_agreement(one).kendall == kendall(mixed.prices, mixed.measured));
  const std::vector<PricedSample> all{up, alone, down, flat, mixed};
  const RankAgreement found = rank_agreement(all);
  CHECK(found.sets == 3);
  CHECK(found.spearman == Approx(0.8 / 3));
  CHECK(found.kendall == Approx(2.0 / 9));
}

TEST_CASE("rank agreement is undefined where no sample has a ranking") {
  const std::vector<PricedSample> flat{{{1, 1}, {2, 3}}, {{1}, {2}}};
  CHECK(rank_agreement(flat).sets == 0);
  CHECK(std::isnan(rank_agreement(flat).spearman));
  CHECK(std::isnan(rank_agreement({}).kendall));
}

}  // namespace
}  // namespace regroup::fitness
