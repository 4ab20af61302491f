#pragma once

#include <ATen/ATen.h>

#include <functional>
#include <span>
#include <vector>

#include "models/merge/attention_weights.hpp"
#include "search/grouping.hpp"

namespace regroup::models {

/// Makes one head's rows from those of the members of a group: [members, rows, …] in double →
/// [rows, …].
using RowMerge = std::function<at::Tensor(const at::Tensor& members)>;

/// Replaces the heads of a projection (or bias) by one shared head for each of the `stored` groups,
/// computed in double and rounded to the projection's type. A head that is alone in its group is
/// copied bit by bit. An undefined tensor (no bias) stays undefined.
at::Tensor merge_heads(const at::Tensor& projection, const search::Partition& partition,
                       std::span<const search::Group> stored, const RowMerge& merge);

/// For each of the H query heads the stored head that it reads, a place in `stored`: that of its
/// group in the allocation, else of its source KV head's group in `partition`.
std::vector<int> stored_of_queries(const ModelConfig& config, const search::LayerGrouping& grouping,
                                   const search::Partition& partition,
                                   std::span<const search::Group> stored);

/// Merges keys and values, weights and biases, by one rule; query and output stay as they are.
MergedAttention merge_keys_and_values(const AttentionWeights& source, const ModelConfig& config,
                                      const search::LayerGrouping& grouping, const RowMerge& merge);

}  // namespace regroup::models
