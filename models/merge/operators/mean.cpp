#include "models/merge/operators/mean.hpp"

#include "models/merge/head_rows.hpp"

namespace regroup::models {

MergedAttention MeanMerge::merge(const AttentionWeights& source, const ModelConfig& config,
                                 const search::LayerGrouping& grouping) const {
  return merge_keys_and_values(source, config, grouping,
                               [](const at::Tensor& members) { return members.mean(0); });
}

}  // namespace regroup::models
