#pragma once

#include <optional>
#include <span>

namespace regroup::fitness {

/// A loss over windows of one text, nats per token.
struct LossEstimate {
  double mean = 0;
  /// Deviation of the windows' means (n − 1) / √windows; absent for a single window.
  std::optional<double> standard_error;
};

/// Mean and standard error of the windows' losses (METHODS §9).
LossEstimate estimate(std::span<const double> window_losses);

/// The change of loss against the source on the same windows, with the paired standard error.
/// Throws WorkError unless both have the same windows.
LossEstimate paired_difference(std::span<const double> converted, std::span<const double> source);

}  // namespace regroup::fitness
