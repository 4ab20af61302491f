#include "models/merge/head_rows.hpp"

namespace regroup::models {

at::Tensor merge_heads(const at::Tensor& projection, const search::Partition& partition,
                       const RowMerge& merge) {
  if (!projection.defined()) return projection;
  std::vector<std::int64_t> by_head = projection.sizes().vec();
  by_head[0] /= partition.heads();
  by_head.insert(by_head.begin(), partition.heads());
  const at::Tensor heads = projection.reshape(by_head);
  std::vector<at::Tensor> merged;
  for (const std::vector<int>& group : partition.member_ids()) {
    if (group.size() == 1) {
      merged.push_back(heads[group[0]]);
      continue;
    }
    std::vector<at::Tensor> members;
    for (const int head : group) members.push_back(heads[head].to(at::kDouble));
    merged.push_back(merge(at::stack(members)).to(projection.scalar_type()));
  }
  return at::cat(merged, 0);
}

std::vector<int> group_of_queries(const ModelConfig& config, const search::Partition& partition) {
  std::vector<int> groups;
  for (int query = 0; query < config.query_heads; ++query) {
    const search::Head head(query / config.queries_per_kv_head());
    groups.push_back(partition.group_of(head).value());
  }
  return groups;
}

MergedAttention merge_keys_and_values(const AttentionWeights& source, const ModelConfig& config,
                                      const search::LayerGrouping& grouping,
                                      const RowMerge& merge) {
  MergedAttention merged{source, group_of_queries(config, grouping.keys),
                         group_of_queries(config, grouping.values)};
  merged.weights.key = merge_heads(source.key, grouping.keys, merge);
  merged.weights.key_bias = merge_heads(source.key_bias, grouping.keys, merge);
  merged.weights.value = merge_heads(source.value, grouping.values, merge);
  merged.weights.value_bias = merge_heads(source.value_bias, grouping.values, merge);
  return merged;
}

}  // namespace regroup::models
