#pragma once

#include "models/architecture/model_config.hpp"
#include "models/recipes/merge_recipe.hpp"
#include "search/groupings/grouping.hpp"

namespace regroup::models {

/// Throws InputError unless the grouping has the layers and KV heads of the model and allocates its
/// query heads, where it does, to groups that keys and values share.
void require_same_heads(const search::Grouping& grouping, const ModelConfig& config);

/// Throws InputError for widths that cannot be merged (valid_widths.hpp), or if the recipe folds
/// factors into heads that the grouping allocates elsewhere,
/// or through what no factor passes in this model.
void require_mergeable(const search::Grouping& grouping, const MergeRecipe& recipe,
                       const ModelConfig& config);

/// Whether factors and rotations can be folded into queries and outputs: not where projections are
/// clipped, nor where one norm follows all heads.
bool can_fold(const ModelConfig& config);
/// Whether anything that is fitted to queries passes on its way to the attention.
bool can_refit_queries(const ModelConfig& config);

/// Throws InputError if the recipe refits queries that a norm follows (Qwen3): nothing that is
/// fitted could pass it.
void require_refit_passes(const MergeRecipe& recipe, const ModelConfig& config);

}  // namespace regroup::models
