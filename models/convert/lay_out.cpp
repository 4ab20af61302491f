#include "models/convert/lay_out.hpp"

#include <vector>

namespace regroup::models {
namespace {

/// In place of a head: zeros.
constexpr int kZeros = -1;

/// Rows (or, with dimension 1, columns) of the heads in another order; heads may repeat.
at::Tensor take_heads(const at::Tensor& projection, const std::vector<int>& heads,
                      std::int64_t head_dim, std::int64_t dimension = 0) {
  if (!projection.defined()) return projection;
  std::vector<at::Tensor> parts;
  for (const int head : heads) {
    const int at = head == kZeros ? 0 : head;
    const at::Tensor part = projection.slice(dimension, at * head_dim, (at + 1) * head_dim);
    parts.push_back(head == kZeros ? at::zeros_like(part) : part);
  }
  return at::cat(parts, dimension);
}

/// Query heads by the group they read, in order within it, each group filled up with zeros.
std::vector<int> queries_by_group(const HeadMap& map, LayerHeads heads) {
  const auto size = static_cast<std::size_t>(heads.query / heads.kv);
  std::vector<std::vector<int>> groups(static_cast<std::size_t>(heads.kv));
  for (int query = 0; query < map.queries(); ++query) {
    groups[static_cast<std::size_t>(map[query])].push_back(query);
  }
  std::vector<int> order;
  for (std::vector<int>& group : groups) {
    group.resize(size, kZeros);
    order.insert(order.end(), group.begin(), group.end());
  }
  return order;
}

void permute_queries(MergedAttention& layer, LayerHeads heads, int head_dim) {
  AttentionWeights& w = layer.weights;
  const std::vector<int> order = queries_by_group(layer.key_map, heads);
  w.query = take_heads(w.query, order, head_dim);
  w.query_bias = take_heads(w.query_bias, order, head_dim);
  w.query_norm = take_heads(w.query_norm, order, head_dim);
  w.output = take_heads(w.output, order, head_dim, 1);
}

/// The merged head that each of `heads` expanded ones repeats: that of its first query head.
std::vector<int> merged_of_expanded(const HeadMap& map, int heads) {
  const int step = map.queries() / heads;
  std::vector<int> result;
  for (int query = 0; query < map.queries(); query += step) result.push_back(map[query]);
  return result;
}

void repeat_keys_and_values(MergedAttention& layer, LayerHeads heads, int head_dim) {
  AttentionWeights& w = layer.weights;
  const std::vector<int> keys = merged_of_expanded(layer.key_map, heads.kv);
  const std::vector<int> values = merged_of_expanded(layer.value_map, heads.kv);
  w.key = take_heads(w.key, keys, head_dim);
  w.key_bias = take_heads(w.key_bias, keys, head_dim);
  w.key_norm = take_heads(w.key_norm, keys, head_dim);
  w.value = take_heads(w.value, values, head_dim);
  w.value_bias = take_heads(w.value_bias, values, head_dim);
}

}  // namespace

void lay_out(Layout layout, MergedAttention& layer, LayerHeads heads, int head_dim) {
  if (layout == Layout::kExpand) {
    repeat_keys_and_values(layer, heads, head_dim);
  } else {
    permute_queries(layer, heads, head_dim);
  }
}

}  // namespace regroup::models
