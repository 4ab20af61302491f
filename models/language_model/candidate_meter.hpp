#pragma once

#include <memory>
#include <span>
#include <stop_token>
#include <vector>

#include "models/inputs/window_score.hpp"
#include "models/language_model/merge_store.hpp"
#include "models/language_model/merger.hpp"
#include "models/pretrained/cache_type.hpp"
#include "search/base/progress.hpp"

namespace regroup::models {

/// How a grouping becomes a model that is measured.
struct Conversion {
  MergeRecipe recipe = {};
  RefitScope scope = RefitScope::kAllFollowing;
  CacheType cache = CacheType::kExact;

  bool operator==(const Conversion&) const = default;
};

/// The grouping that leaves a model as it is.
search::Grouping source_grouping(const ModelConfig& config);

/// Measures candidate groupings on the model itself, many at a time. What candidates have in
/// common is computed once: the first layers of those measured together, and the hidden states
/// before the first layer in which a candidate differs from earlier ones, which are kept, once they
/// are asked for a second time, in up to 1 GiB. One candidate that is asked for again with another
/// cache is not converted again. A candidate's figures do not depend on the others, to the bit, and
/// are those of its conversion. Thread-safe; one call at a time, which spreads over the threads.
/// Progress counts the windows' tokens, once for each candidate.
class CandidateMeter {
 public:
  /// `windows` must outlive it, as must `store`, which merges with fits to all layers are taken
  /// from and given to; null: none.
  CandidateMeter(std::shared_ptr<const Merger> merger, const Windows& windows,
                 const MergeStore* store = nullptr);
  ~CandidateMeter();

  /// For every grouping the mean of every window. Throws as `Merger::merge`,
  /// `LanguageModel::with_cache` and `LanguageModel::window_losses`.
  std::vector<std::vector<double>> measure(std::span<const search::Grouping> groupings,
                                           const Conversion& conversion, TokenMeasure measure,
                                           std::stop_token stop, search::Progress& progress) const;
  /// All scores of every grouping beside the source, whose forward pass is made once.
  std::vector<std::vector<WindowScore>> scores(std::span<const search::Grouping> groupings,
                                               const Conversion& conversion, std::stop_token stop,
                                               search::Progress& progress) const;
  /// Makes that pass now; else the first `scores` does. Its last hidden states stay in host memory:
  /// tokens · D numbers in the computation's type.
  void run_source(std::stop_token stop, search::Progress& progress) const;

  const Merger& merger() const { return *merger_; }
  const Windows& windows() const { return windows_; }

 private:
  class Shared;

  std::shared_ptr<const Merger> merger_;
  const Windows& windows_;
  std::unique_ptr<Shared> shared_;
};

}  // namespace regroup::models
