#pragma once

#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <vector>

#include "models/candidate_meter.hpp"

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

/// Measures the real loss of groupings of one model on one text. Holds a reference to `windows`.
class LossMeter {
 public:
  LossMeter(std::shared_ptr<const models::Converter> converter,
            const models::TokenWindows& windows);

  /// Losses of every window for the source model. Throws as LanguageModel::window_losses.
  std::vector<double> source(std::stop_token stop, search::Progress& progress) const;
  /// The same for the model converted by `grouping` and `recipe`.
  std::vector<double> converted(const search::Grouping& grouping, const models::MergeRecipe& recipe,
                                std::stop_token stop, search::Progress& progress) const;

  const models::TokenWindows& windows() const { return windows_; }

 private:
  std::shared_ptr<const models::Converter> converter_;
  std::shared_ptr<const models::CandidateMeter> candidates_;
  const models::TokenWindows& windows_;
};

}  // namespace regroup::fitness
