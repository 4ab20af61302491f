#include "models/refit/merged_overlay.hpp"

#include "models/refit/merge_layer.hpp"

namespace regroup::models {

WeightOverlay merged_overlay(const std::shared_ptr<const PretrainedModel>& model,
                             const search::Grouping& grouping, const MergeRecipe& recipe,
                             const std::shared_ptr<const Calibration>& calibration,
                             std::vector<MergedAttention> fitted) {
  WeightOverlay overlay;
  for (int layer = 0; layer < model->config.layers; ++layer) {
    const auto at = static_cast<std::size_t>(layer);
    if (!fitted.empty()) {
      if (fitted[at].weights.key.defined()) overlay.set_heads(layer, fitted[at]);
      continue;
    }
    const search::LayerGrouping& of_layer = grouping.layers[at];
    if (of_layer.is_source()) continue;
    const auto merge = [model, layer, of_layer, recipe, calibration] {
      const auto moments =
          calibration ? calibration->moments(static_cast<std::size_t>(layer)) : nullptr;
      return merge_layer(*model, layer, of_layer, recipe, moments.get());
    };
    overlay.set_heads(layer, {head_maps(of_layer, model->config.queries_per_kv_head()), merge});
  }
  return overlay;
}

}  // namespace regroup::models
