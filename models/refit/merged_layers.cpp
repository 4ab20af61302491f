#include "models/refit/merged_layers.hpp"

#include <utility>

#include "models/refit/merge_layer.hpp"

namespace regroup::models {

MergedLayers::MergedLayers(std::shared_ptr<const PretrainedModel> model, search::Grouping grouping,
                           const MergeRecipe& recipe,
                           std::shared_ptr<const Calibration> calibration,
                           std::vector<MergedAttention> fitted)
    : model_(std::move(model)),
      grouping_(std::move(grouping)),
      recipe_(recipe),
      calibration_(std::move(calibration)),
      fitted_(std::move(fitted)) {}

bool MergedLayers::differs(std::size_t layer) const {
  if (!fitted_.empty()) return fitted_[layer].weights.key.defined();
  return !grouping_.layers[layer].is_source();
}

MergedAttention MergedLayers::layer(std::size_t index) const {
  if (!differs(index)) return source_attention(*model_, static_cast<int>(index));
  if (!fitted_.empty()) return fitted_[index];
  return merge_layer(*model_, static_cast<int>(index), grouping_.layers[index], recipe_,
                     calibration_ ? &calibration_->layers[index] : nullptr);
}

}  // namespace regroup::models
