#include "fitness/rank_agreement.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "fitness/rank_correlation.hpp"
#include "search/base/error.hpp"

namespace regroup::fitness {
namespace {

void require_comparable(const PricedSample& sample) {
  if (sample.prices.empty() || sample.prices.size() != sample.measured.size()) {
    throw InputError({.what = "a regret needs a price and a measurement of every grouping",
                      .expected = std::to_string(std::max<std::size_t>(1, sample.prices.size())),
                      .found = std::to_string(sample.measured.size())});
  }
  const auto is_nan = [](double value) { return std::isnan(value); };
  if (std::ranges::any_of(sample.prices, is_nan) || std::ranges::any_of(sample.measured, is_nan)) {
    throw InputError({.what = "a regret is not defined for NaN"});
  }
}

}  // namespace

RankAgreement rank_agreement(std::span<const PricedSample> samples) {
  RankAgreement sum;
  for (const PricedSample& sample : samples) {
    const double rho = spearman(sample.prices, sample.measured);
    if (std::isnan(rho)) continue;
    sum.spearman += rho;
    sum.kendall += kendall(sample.prices, sample.measured);
    ++sum.sets;
  }
  if (sum.sets == 0) {
    constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
    return {kNaN, kNaN, 0};
  }
  const auto sets = static_cast<double>(sum.sets);
  return {sum.spearman / sets, sum.kendall / sets, sum.sets};
}

double regret(const PricedSample& sample) {
  require_comparable(sample);
  const double first = *std::ranges::min_element(sample.prices);
  const double least = *std::ranges::min_element(sample.measured);
  double sum = 0;
  int chosen = 0;
  for (std::size_t i = 0; i < sample.prices.size(); ++i) {
    if (sample.prices[i] > first) continue;
    sum += sample.measured[i] - least;
    ++chosen;
  }
  return sum / chosen;
}

}  // namespace regroup::fitness
