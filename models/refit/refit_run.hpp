#pragma once

#include <stop_token>
#include <vector>

#include "models/attention/attention_weights.hpp"
#include "models/calibration/calibration.hpp"
#include "models/passes/layer_states.hpp"
#include "models/recipes/merge_recipe.hpp"
#include "search/groupings/grouping.hpp"

namespace regroup::models {

/// Merges a model layer by layer with refits on calibration text (METHODS §7): merge, query refit,
/// output refit, reconstruction, next layer, each on what the layers converted so far give. Layers
/// before the first that is grouped stay as they are; all others are fitted, so that errors of
/// earlier layers are made up for. `source` holds the source model's states on the calibration's
/// windows. Entries of untouched layers are empty tensors. Throws Interrupted.
std::vector<MergedAttention> merge_with_refits(const PretrainedModel& model,
                                               const LayerStates& source,
                                               const search::Grouping& grouping,
                                               const MergeRecipe& recipe,
                                               const Calibration& calibration, RefitScope scope,
                                               std::stop_token stop);

}  // namespace regroup::models
