#pragma once

#include <span>

namespace regroup::fitness {

/// Spearman's rank correlation of two samples of the same length n: Pearson's correlation of their
/// ranks, ties sharing the mean of the ranks they cover. O(n log n).
///
/// NaN where it is undefined: n < 2, or all values of one sample equal. In [-1, 1] otherwise.
/// Example: {1, 2, 3, 4} against {1, 3, 2, 4} gives 0.8.
/// Throws InputError if the lengths differ or a value is NaN (a NaN has no rank).
double spearman(std::span<const double> x, std::span<const double> y);

/// Kendall's rank correlation with ties (tau-b) of two samples of the same length n:
/// (concordant - discordant) / sqrt((pairs not tied in x) (pairs not tied in y)). O(n²).
///
/// NaN where it is undefined, as for `spearman`. Source: Kendall, Biometrika 33 (1945), 239-251.
/// Example: {1, 2, 3, 4} against {1, 3, 2, 4} gives 2/3.
/// Throws InputError if the lengths differ or a value is NaN.
double kendall(std::span<const double> x, std::span<const double> y);

}  // namespace regroup::fitness
