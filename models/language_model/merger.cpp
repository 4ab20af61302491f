#include "models/language_model/merger.hpp"

#include <utility>

#include "models/language_model/merge_store.hpp"
#include "models/recipes/mergeable.hpp"
#include "models/refit/merged_overlay.hpp"
#include "models/refit/reconstruction.hpp"
#include "models/refit/refit_run.hpp"
#include "search/base/error.hpp"

namespace regroup::models {

namespace {

void require_fits(const search::Grouping& grouping, const MergeRecipe& recipe,
                  const ModelConfig& config, const Calibration* calibration) {
  require_same_heads(grouping, config);
  require_valid(recipe);
  require_mergeable(grouping, recipe, config);
  require_refit_passes(recipe, config);
  const bool needs_gradients = recipe.merge->needs() == MergeNeeds::kGradients;
  const bool has_all = calibration != nullptr && (!needs_gradients || calibration->has_gradients());
  if (!recipe.needs_calibration() || has_all) return;
  throw WorkError({.what = "merging needs calibration", .found = recipe.name()});
}

}  // namespace

std::shared_ptr<const WeightOverlay> merge_plainly(std::shared_ptr<const PretrainedModel> model,
                                                   const search::Grouping& grouping,
                                                   const MergeRecipe& recipe) {
  require_fits(grouping, recipe, model->config, nullptr);
  return std::make_shared<WeightOverlay>(merged_overlay(model, grouping, recipe, nullptr, {}));
}

Merger::Merger(LanguageModel source, std::shared_ptr<const Calibration> calibration)
    : source_(std::move(source)), calibration_(std::move(calibration)) {
  if (calibration_) {
    states_ = std::make_unique<LayerStates>(source_.transformer(), calibration_->windows);
  }
}

Merger::~Merger() = default;

std::shared_ptr<const WeightOverlay> Merger::merge(const search::Grouping& grouping,
                                                   const MergeRecipe& recipe, std::stop_token stop,
                                                   RefitScope scope) const {
  require_fits(grouping, recipe, source_.config(), calibration_.get());
  std::vector<MergedAttention> fitted;
  if (recipe.fits_layers()) {
    fitted = merge_with_refits(source_.pretrained(), *states_, grouping, recipe, *calibration_,
                               scope, std::move(stop));
  }
  return std::make_shared<WeightOverlay>(merged_overlay(source_.shared_pretrained(), grouping,
                                                        recipe, calibration_, std::move(fitted)));
}

std::shared_ptr<const WeightOverlay> Merger::merge_once(const search::Grouping& grouping,
                                                        const MergeRecipe& recipe,
                                                        const MergeStore* store,
                                                        std::stop_token stop) const {
  const bool is_kept = store != nullptr && recipe.fits_layers();
  if (is_kept) {
    if (auto kept = store->recall(grouping, recipe)) return kept;
  }
  auto layers = merge(grouping, recipe, std::move(stop));
  if (is_kept) store->keep(grouping, recipe, *layers);
  return layers;
}

double Merger::refit_tokens(const MergeRecipe& recipe) const {
  // Measured on an 8-layer model with heads of 32 dimensions and windows of 256 tokens.
  constexpr double kOutputPasses = 3;
  constexpr double kQueryPasses = 6;
  constexpr double kStepPasses = 1.4;
  if (!calibration_) return 0;
  return static_cast<double>(calibration_->windows.tokens()) *
             ((recipe.refits_outputs() ? kOutputPasses : 0) +
              (recipe.refits_queries() ? kQueryPasses : 0)) +
         kStepPasses * static_cast<double>(recipe.reconstruction_steps * kReconstructionTokens);
}

LanguageModel Merger::merged_model(const search::Grouping& grouping, const MergeRecipe& recipe,
                                   std::stop_token stop, RefitScope scope) const {
  return source_.with_overlay(*merge(grouping, recipe, std::move(stop), scope));
}

}  // namespace regroup::models
