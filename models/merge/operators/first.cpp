#include "models/merge/operators/first.hpp"

#include "models/merge/head_rows.hpp"

namespace regroup::models {

MergedAttention FirstMerge::merge(const AttentionWeights& source, const ModelConfig& config,
                                  const search::LayerGrouping& grouping) const {
  return merge_keys_and_values(source, config, grouping,
                               [](const at::Tensor& members) { return members[0]; });
}

}  // namespace regroup::models
