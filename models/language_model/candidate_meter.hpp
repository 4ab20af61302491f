#pragma once

#include <memory>
#include <span>
#include <stop_token>
#include <vector>

#include "models/inputs/window_score.hpp"
#include "models/language_model/merger.hpp"

namespace regroup::models {

/// Measures candidate groupings on the model itself, many at a time. What candidates have in
/// common is computed once: the first layers of those measured together, and the hidden states
/// before the first layer in which a candidate differs from earlier ones, which are kept, once they
/// are asked for a second time, in up to 1 GiB. A candidate's figures do not depend on the others,
/// to the bit, and are those of its conversion. Thread-safe; one call at a time, which spreads over
/// the threads.
class CandidateMeter {
 public:
  /// `windows` must outlive it.
  CandidateMeter(std::shared_ptr<const Merger> merger, const Windows& windows);
  ~CandidateMeter();

  /// For every grouping the mean of every window. Throws as `Merger::merge` and
  /// `LanguageModel::window_losses`.
  std::vector<std::vector<double>> measure(std::span<const search::Grouping> groupings,
                                           const MergeRecipe& recipe, RefitScope scope,
                                           TokenMeasure measure, std::stop_token stop) const;
  /// All scores of every grouping beside the source, whose forward pass is made once.
  std::vector<std::vector<WindowScore>> scores(std::span<const search::Grouping> groupings,
                                               const MergeRecipe& recipe, RefitScope scope,
                                               std::stop_token stop) const;
  const Windows& windows() const { return windows_; }

 private:
  /// `measure` where there is no telling what the predictions should be but by the source.
  std::vector<std::vector<double>> measure_by_source(std::span<const search::Grouping> groupings,
                                                     const MergeRecipe& recipe, RefitScope scope,
                                                     TokenMeasure measure,
                                                     std::stop_token stop) const;

  class Shared;

  std::shared_ptr<const Merger> merger_;
  const Windows& windows_;
  std::unique_ptr<Shared> shared_;
};

}  // namespace regroup::models
