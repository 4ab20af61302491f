#pragma once

#include "models/attention/attention_weights.hpp"
#include "models/recipes/merge_matrices.hpp"

namespace regroup::models {

/// The layer in the checkpoint's element types. What was read from it keeps its bits.
MergedAttention rounded(const MergedMatrices& merged, const PretrainedModel& model, int layer);

/// Reads one layer and merges it without refits; rounded to the checkpoint's element type. Heads
/// alone in their group keep their bits. `moments` may be null where the recipe needs none.
MergedAttention merge_layer(const PretrainedModel& model, int layer,
                            const search::LayerGrouping& grouping, const MergeRecipe& recipe,
                            const LayerMoments* moments);

}  // namespace regroup::models
