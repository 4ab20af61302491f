#pragma once

#include <memory>
#include <stop_token>
#include <vector>

#include "models/converter.hpp"
#include "models/window_score.hpp"

namespace regroup::models {

/// Measures one candidate grouping after another on the model itself. Candidates that begin with
/// the same layers share their hidden states: those before the first layer in which a candidate
/// differs from earlier ones are kept, once they are asked for a second time, in up to 1 GiB.
/// Thread-safe; one measurement at a time, which spreads over the threads.
class CandidateMeter {
 public:
  /// `windows` must outlive it.
  CandidateMeter(std::shared_ptr<const Converter> converter, const TokenWindows& windows);
  ~CandidateMeter();

  /// Mean next-token loss of every window, nats per token. Throws as `Converter::merge` and
  /// `LanguageModel::window_losses`.
  std::vector<double> losses(const search::Grouping& grouping, const MergeRecipe& recipe,
                             RefitScope scope, std::stop_token stop) const;
  /// All scores beside the source, whose forward pass is made once.
  std::vector<WindowScore> scores(const search::Grouping& grouping, const MergeRecipe& recipe,
                                  RefitScope scope, std::stop_token stop) const;
  const TokenWindows& windows() const { return windows_; }

 private:
  class PrefixStates;

  std::shared_ptr<const Converter> converter_;
  const TokenWindows& windows_;
  std::unique_ptr<PrefixStates> states_;
};

}  // namespace regroup::models
