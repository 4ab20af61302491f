#pragma once

#include <memory>
#include <vector>

#include "models/calibration/calibration.hpp"
#include "models/overlay/weight_overlay.hpp"
#include "models/recipes/merge_recipe.hpp"
#include "search/groupings/grouping.hpp"

namespace regroup::models {

/// The attention layers of a model merged by one grouping and recipe, those that are not the
/// source's. `fitted` is empty, or what `merge_with_refits` gave; layers that were not fitted
/// beforehand are merged whenever they are asked for, so that one layer is in memory at a time.
WeightOverlay merged_overlay(const std::shared_ptr<const PretrainedModel>& model,
                             const search::Grouping& grouping, const MergeRecipe& recipe,
                             const std::shared_ptr<const Calibration>& calibration,
                             std::vector<MergedAttention> fitted);

}  // namespace regroup::models
