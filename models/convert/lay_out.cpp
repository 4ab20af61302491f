#include "models/convert/lay_out.hpp"

#include <cmath>
#include <numeric>
#include <vector>

#include "models/layers/shared_rows.hpp"

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

void permute_queries(MergedAttention& layer, LayerHeads heads) {
  AttentionWeights& w = layer.weights;
  const std::vector<int> order = queries_by_group(layer.key_map, heads);
  w.query = take_heads(w.query, order, heads.key_width);
  w.query_bias = take_heads(w.query_bias, order, heads.key_width);
  w.query_norm = take_heads(w.query_norm, order, heads.key_width);
  w.output = take_heads(w.output, order, heads.value_width, 1);
}

/// The merged head that each of `heads` expanded ones repeats: that of its first query head.
std::vector<int> merged_of_expanded(const HeadMap& map, int heads) {
  const int step = map.queries() / heads;
  std::vector<int> result;
  for (int query = 0; query < map.queries(); query += step) result.push_back(map[query]);
  return result;
}

void repeat_keys_and_values(MergedAttention& layer, LayerHeads heads) {
  AttentionWeights& w = layer.weights;
  const std::vector<int> keys = merged_of_expanded(layer.key_map, heads.kv);
  const std::vector<int> values = merged_of_expanded(layer.value_map, heads.kv);
  w.key = take_heads(w.key, keys, heads.key_width);
  w.key_bias = take_heads(w.key_bias, keys, heads.key_width);
  w.key_norm = take_heads(w.key_norm, keys, heads.key_width);
  w.value = take_heads(w.value, values, heads.value_width);
  w.value_bias = take_heads(w.value_bias, values, heads.value_width);
}

/// Rows of heads (or, with dimension 1, columns) at these places of heads of `width`, the others
/// zeros.
at::Tensor placed(const at::Tensor& projection, const std::vector<std::int64_t>& places,
                  std::int64_t width, std::int64_t dimension = 0) {
  if (!projection.defined()) return projection;
  const auto own = static_cast<std::int64_t>(places.size());
  const at::Tensor heads = projection.unflatten(dimension, {-1, own});
  std::vector<std::int64_t> shape = heads.sizes().vec();
  shape[static_cast<std::size_t>(dimension) + 1] = width;
  at::Tensor wide = at::zeros(shape, projection.options());
  wide.index_copy_(dimension + 1, at::tensor(places, at::kLong), heads);
  return wide.flatten(dimension, dimension + 1);
}

/// Where the rows of a key of `own` heads' width stand in one of `stored` heads'.
std::vector<std::int64_t> key_places(const HeadLayout& head, RotaryLayout pairs, int own,
                                     int stored) {
  const HeadLayout from = SharedRows::of_heads(head, own).layout(pairs);
  const HeadLayout to = SharedRows::of_heads(head, stored).layout(pairs);
  std::vector<std::int64_t> places(static_cast<std::size_t>(from.head_dim));
  const auto own_count = static_cast<std::size_t>(own);
  for (std::size_t p = 0; p < from.planes.size(); ++p) {
    const auto [real, imaginary] =
        to.planes[p / own_count * static_cast<std::size_t>(stored) + p % own_count];
    places[static_cast<std::size_t>(from.planes[p].first)] = real;
    places[static_cast<std::size_t>(from.planes[p].second)] = imaginary;
  }
  for (int row = 0; row < from.block_rows(); ++row) {
    places[static_cast<std::size_t>(from.block_begin + row)] = to.block_begin + row;
  }
  return places;
}

std::vector<std::int64_t> value_places(int width) {
  std::vector<std::int64_t> places(static_cast<std::size_t>(width));
  std::iota(places.begin(), places.end(), 0);
  return places;
}

/// Gives all heads of the layer the widths that are stored, and its queries the factor for which
/// scores are scaled by 1/√ of that width.
void widen(MergedAttention& layer, LayerHeads heads, const ModelConfig& config) {
  const int d = config.head_dim;
  const LayerWidths own = layer.widths.value_or(LayerWidths{d, d});
  AttentionWeights& w = layer.weights;
  if (own.key != heads.key_width) {
    const std::vector<std::int64_t> places = key_places(
        HeadLayout::of_keys(config), config.rotary.layout, own.key / d, heads.key_width / d);
    for (at::Tensor* part : {&w.query, &w.query_bias, &w.key, &w.key_bias}) {
      *part = placed(*part, places, heads.key_width);
    }
  }
  if (own.value != heads.value_width) {
    const std::vector<std::int64_t> places = value_places(own.value);
    w.value = placed(w.value, places, heads.value_width);
    w.value_bias = placed(w.value_bias, places, heads.value_width);
    w.output = placed(w.output, places, heads.value_width, 1);
  }
  if (own.key == heads.key_width || config.attention_scale) return;
  const double factor = std::sqrt(static_cast<double>(heads.key_width) / own.key);
  for (at::Tensor* part : {&w.query, &w.query_bias}) {
    if (part->defined()) *part = (part->to(at::kDouble) * factor).to(part->scalar_type());
  }
}

}  // namespace

void lay_out(Layout layout, MergedAttention& layer, LayerHeads heads, const ModelConfig& config) {
  widen(layer, heads, config);
  if (layout == Layout::kExpand) {
    repeat_keys_and_values(layer, heads);
  } else {
    permute_queries(layer, heads);
  }
}

}  // namespace regroup::models
