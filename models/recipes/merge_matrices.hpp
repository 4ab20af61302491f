#pragma once

#include <optional>
#include <vector>

#include "models/layers/attention_matrices.hpp"
#include "models/layers/head_map.hpp"
#include "models/layers/shared_rows.hpp"
#include "models/merge/merge_problem.hpp"
#include "models/recipes/merge_recipe.hpp"
#include "search/groupings/grouping.hpp"

namespace regroup::models {

/// A layer whose KV heads are shared, in double: n_K key and n_V value heads, queries and outputs
/// with what was folded into them. Where the grouping has widths, rows of keys and queries, and
/// those of values and columns of outputs, are as many a head as the widest group has.
struct MergedMatrices {
  AttentionMatrices weights;
  HeadMap key_map;
  HeadMap value_map;
  std::optional<LayerWidths> widths = {};  ///< absent: as wide as the source's heads
  /// Of each rotated pair of rows of a key the source's frequency; without `widths` not stated.
  std::vector<int> key_frequencies = {};
};

/// Merges the heads of one layer by the recipe, without refits. `source.moments` may be null where
/// the recipe needs none. Heads alone in their group stay as they are.
MergedMatrices merge_matrices(const MergeSource& source, const search::LayerGrouping& grouping,
                              const MergeRecipe& recipe);

}  // namespace regroup::models
