#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace regroup::fitness {

/// What a proxy says of some groupings and what was measured of the same ones, in the same order;
/// less is better in both.
struct PricedSample {
  std::vector<double> prices;
  std::vector<double> measured;
};

/// How far a proxy ranks groupings as measuring them does.
struct RankAgreement {
  double spearman = 0;   ///< NaN where `sets` is 0
  double kendall = 0;    ///< tau-b; NaN where `sets` is 0
  std::size_t sets = 0;  ///< samples behind the means
};

/// Mean rank correlations over the samples in which they are defined: those with two groupings or
/// more, where neither all prices nor all measurements are equal. Throws InputError as `spearman`.
///
/// Example: two layers with correlations 1 and 0.5 and one with a single grouping → 0.75 over 2.
RankAgreement rank_agreement(std::span<const PricedSample> samples);

/// What trusting a proxy costs: the measured value of the grouping that it ranks first, less the
/// least measured value; 0 where it is right. Where several share the first rank, the mean over
/// them. Throws InputError for an empty sample, different lengths and NaN.
///
/// Example: prices 2 1 3 beside measurements 10 12 11 → 2.
double regret(const PricedSample& sample);

}  // namespace regroup::fitness
