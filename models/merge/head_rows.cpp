#include "models/merge/head_rows.hpp"

#include <algorithm>

namespace regroup::models {

at::Tensor merge_heads(const at::Tensor& projection, const search::Partition& partition,
                       std::span<const search::Group> stored, const RowMerge& merge) {
  if (!projection.defined()) return projection;
  std::vector<std::int64_t> by_head = projection.sizes().vec();
  by_head[0] /= partition.heads();
  by_head.insert(by_head.begin(), partition.heads());
  const at::Tensor heads = projection.reshape(by_head);
  std::vector<at::Tensor> merged;
  const std::vector<std::vector<int>> groups = partition.member_ids();
  for (const search::Group stored_group : stored) {
    const std::vector<int>& group = groups[stored_group.at()];
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

std::vector<int> stored_of_queries(const ModelConfig& config, const search::LayerGrouping& grouping,
                                   const search::Partition& partition,
                                   std::span<const search::Group> stored) {
  std::vector<int> places;
  for (int query = 0; query < config.query_heads; ++query) {
    const search::Head head(query / config.queries_per_kv_head());
    const search::Group group = grouping.has_allocation()
                                    ? grouping.query_to_group[static_cast<std::size_t>(query)]
                                    : partition.group_of(head);
    const auto place = std::lower_bound(stored.begin(), stored.end(), group);
    places.push_back(static_cast<int>(place - stored.begin()));
  }
  return places;
}

MergedAttention merge_keys_and_values(const AttentionWeights& source, const ModelConfig& config,
                                      const search::LayerGrouping& grouping,
                                      const RowMerge& merge) {
  const std::vector<search::Group> keys = grouping.stored_keys();
  const std::vector<search::Group> values = grouping.stored_values();
  MergedAttention merged{source, stored_of_queries(config, grouping, grouping.keys, keys),
                         stored_of_queries(config, grouping, grouping.values, values)};
  merged.weights.key = merge_heads(source.key, grouping.keys, keys, merge);
  merged.weights.key_bias = merge_heads(source.key_bias, grouping.keys, keys, merge);
  merged.weights.value = merge_heads(source.value, grouping.values, values, merge);
  merged.weights.value_bias = merge_heads(source.value_bias, grouping.values, values, merge);
  return merged;
}

}  // namespace regroup::models
