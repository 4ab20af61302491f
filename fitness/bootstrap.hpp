#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "search/base/random.hpp"

namespace regroup::fitness {

// The paired bootstrap over windows (METHODS §9). A sample has one value a window: a loss, or its
// change against the source. A resample draws as many windows as there are, with replacement, and
// takes the mean of each sample over those same windows. How these means spread says how far the
// sample's own mean depends on the windows that happened to be there; because all samples see the
// same draws, their means can be compared resample by resample.
//
// Efron, "Bootstrap methods: another look at the jackknife", Ann. Statist. 7 (1979) 1-26; intervals
// are the percentile ones of Efron and Tibshirani, "An Introduction to the Bootstrap" (1993), ch.
// 13.

/// Resamples that are drawn unless asked otherwise.
inline constexpr int kBootstrapResamples = 10'000;

/// A range in which a mean lies with some confidence.
struct Interval {
  double low = 0;
  double high = 0;
};

/// Means of every sample in each resample: result[i][r] for sample i, resample r, which draws with
/// the key's r-th child. Equal for any number of threads. Windows have one length, at least 1;
/// throws WorkError otherwise. O(resamples · windows · samples) time.
std::vector<std::vector<double>> bootstrap_means(std::span<const std::vector<double>> samples,
                                                 search::RandomKey key,
                                                 int resamples = kBootstrapResamples);

/// The part of the resampled means that leaves (1 − confidence)/2 of them out on either side,
/// between two of them by linear interpolation. Example: {1, 2, 3, 4, 5} at 0.5 gives 2 to 4. At
/// least one mean; confidence in (0, 1).
Interval percentile_interval(std::vector<double> means, double confidence = 0.95);

/// Share of the resamples in which the first sample's mean is lower; equal means count half. Both
/// of one call of `bootstrap_means`, at least one.
double share_lower(std::span<const double> first, std::span<const double> second);

/// The interval of one sample's mean; absent for a single window, which says nothing of others. For
/// two groupings, take the difference of their losses on each window.
std::optional<Interval> bootstrap_interval(const std::vector<double>& sample, search::RandomKey key,
                                           double confidence = 0.95);

}  // namespace regroup::fitness
