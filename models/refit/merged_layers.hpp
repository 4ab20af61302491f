#pragma once

#include <memory>
#include <vector>

#include "models/attention/attention_weights.hpp"
#include "models/calibration/calibration.hpp"
#include "models/recipes/merge_recipe.hpp"
#include "search/groupings/grouping.hpp"

namespace regroup::models {

/// The attention layers of a model merged by one grouping and recipe. Layers that were not fitted
/// beforehand are merged when asked for, so that one layer is in memory at a time.
class MergedLayers {
 public:
  /// `fitted` is empty, or what `merge_with_refits` gave.
  MergedLayers(std::shared_ptr<const PretrainedModel> model, search::Grouping grouping,
               const MergeRecipe& recipe, std::shared_ptr<const Calibration> calibration,
               std::vector<MergedAttention> fitted);

  const search::Grouping& grouping() const { return grouping_; }
  /// Whether the layer is not that of the source.
  bool differs(std::size_t layer) const;
  MergedAttention layer(std::size_t index) const;

 private:
  std::shared_ptr<const PretrainedModel> model_;
  search::Grouping grouping_;
  MergeRecipe recipe_;
  std::shared_ptr<const Calibration> calibration_;
  std::vector<MergedAttention> fitted_;
};

}  // namespace regroup::models
