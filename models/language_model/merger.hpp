#pragma once

#include <memory>
#include <stop_token>

#include "models/calibration/calibration.hpp"
#include "models/language_model/language_model.hpp"
#include "models/recipes/merge_recipe.hpp"
#include "search/groupings/grouping.hpp"

namespace regroup::models {

class LayerStates;
class MergeStore;
class WeightOverlay;

/// The merged layers of a recipe that needs no calibration, over the model, without running it.
/// Throws as `Merger::merge`.
std::shared_ptr<const WeightOverlay> merge_plainly(std::shared_ptr<const PretrainedModel> model,
                                                   const search::Grouping& grouping,
                                                   const MergeRecipe& recipe);

/// Merges the heads of one source model by one grouping after another. What all merges share, the
/// source's hidden states on the calibration text, is computed once, when a refit first needs it.
/// Thread-safe; a merge with refits spreads over the threads itself.
class Merger {
 public:
  /// `calibration` may be null where no recipe needs it.
  Merger(LanguageModel source, std::shared_ptr<const Calibration> calibration);
  ~Merger();

  /// The merged layers as an overlay, for a checkpoint or a model. Throws InputError if the
  /// grouping has other layers or KV heads than the model, or the recipe does not fit it; WorkError
  /// if the recipe needs a calibration that is not there; Interrupted.
  std::shared_ptr<const WeightOverlay> merge(const search::Grouping& grouping,
                                             const MergeRecipe& recipe, std::stop_token stop,
                                             RefitScope scope = RefitScope::kAllFollowing) const;
  /// The same with fits to all following layers, but taken from the store where it has them, and
  /// given to it where not; null: no store. Throws what the store does, too.
  std::shared_ptr<const WeightOverlay> merge_once(const search::Grouping& grouping,
                                                  const MergeRecipe& recipe,
                                                  const MergeStore* store,
                                                  std::stop_token stop) const;
  /// The model of these layers; shares all other weights with the source.
  LanguageModel merged_model(const search::Grouping& grouping, const MergeRecipe& recipe,
                             std::stop_token stop,
                             RefitScope scope = RefitScope::kAllFollowing) const;

  const LanguageModel& source() const { return source_; }
  /// Forward passes over about so many tokens take as long as the fits of a merge, for estimates of
  /// time; 0 without any.
  double refit_tokens(const MergeRecipe& recipe) const;

 private:
  LanguageModel source_;
  std::shared_ptr<const Calibration> calibration_;
  std::unique_ptr<const LayerStates> states_;  // null without a calibration
};

}  // namespace regroup::models
