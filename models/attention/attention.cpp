#include "models/attention/attention.hpp"

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>

#include "models/tensors/tensors.hpp"
#include "models/tensors/weight_place.hpp"

namespace regroup::models {
namespace {

Linear linear_of(const at::Tensor& weight, const at::Tensor& bias, const ComputeOptions& options) {
  return {place_weight(weight, options), bias.defined() ? to_compute(bias, options) : bias};
}

/// Undefined if every query head reads the stored head of its own number: no copy is needed then.
at::Tensor selection(const std::vector<int>& stored_of_query, std::int64_t stored_heads,
                     const at::Device& device) {
  std::vector<int> identity(stored_of_query.size());
  std::iota(identity.begin(), identity.end(), 0);
  if (stored_of_query == identity && stored_heads == std::ssize(identity)) return {};
  const std::vector<std::int64_t> wide(stored_of_query.begin(), stored_of_query.end());
  return at::tensor(wide, at::kLong).to(device);
}

at::Tensor select_heads(const at::Tensor& stored, const at::Tensor& selection) {
  return selection.defined() ? stored.index_select(1, selection) : stored;
}

}  // namespace

Attention::Attention(const MergedAttention& layer, AttentionSetting setting,
                     const ComputeOptions& options)
    : setting_(std::move(setting)),
      query_(linear_of(layer.weights.query, layer.weights.query_bias, options)),
      key_(linear_of(layer.weights.key, layer.weights.key_bias, options)),
      value_(linear_of(layer.weights.value, layer.weights.value_bias, options)),
      output_(linear_of(layer.weights.output, layer.weights.output_bias, options)),
      device_(torch_device(options.device)),
      key_of_query_(selection(layer.key_of_query, stored_heads(key_), device_)),
      value_of_query_(selection(layer.value_of_query, stored_heads(value_), device_)),
      key_groups_(layer.key_of_query, stored_heads(key_), device_),
      value_groups_(layer.value_of_query, stored_heads(value_), device_) {}

LayerCache Attention::make_cache(std::int64_t batch, std::int64_t capacity) const {
  const auto room = [&](const Linear& linear) {
    return HeadCache(at::empty({batch, stored_heads(linear), capacity, setting_.head_dim},
                               at::TensorOptions(device_).dtype(linear.weight.scalar_type())));
  };
  return {room(key_), room(value_)};
}

at::Tensor Attention::split_heads(const at::Tensor& x) const {
  return x.view({x.size(0), x.size(1), -1, setting_.head_dim}).transpose(1, 2);
}

at::Tensor Attention::plain_queries(const at::Tensor& x) const {
  const at::Tensor queries = split_heads(query_(x));
  return setting_.query_norm ? (*setting_.query_norm)(queries) : queries;
}

at::Tensor Attention::keys(const at::Tensor& x) const {
  const at::Tensor keys = split_heads(key_(x));
  return setting_.key_norm ? (*setting_.key_norm)(keys) : keys;
}

at::Tensor Attention::mix(const AttentionInput& input, std::int64_t offset,
                          LayerCache* cache) const {
  const at::Tensor queries = rotary().apply(plain_queries(input.queries), offset);
  at::Tensor keys = setting_.codec.keys(rotary().apply(this->keys(input.keys), offset));
  at::Tensor values = setting_.codec.values(split_heads(value_(input.keys)));
  if (cache != nullptr) {
    keys = cache->keys.append(keys);
    values = cache->values.append(values);
    if (queries.size(2) == 1) return mix_newest(queries, keys, values).transpose(1, 2).flatten(2);
  }
  const std::optional<at::Tensor> mask = this->mask(queries, keys);
  // A single position may see everything; more than one only follows an empty cache.
  const bool is_causal = setting_.kind == AttentionKind::kCausal && queries.size(2) > 1 && !mask;
  const at::Tensor mixed = at::scaled_dot_product_attention(
      queries, select_heads(keys, key_of_query_), select_heads(values, value_of_query_), mask,
      /*dropout_p=*/0.0, is_causal, setting_.scale);
  return mixed.transpose(1, 2).flatten(2);
}

at::Tensor Attention::mix_newest(const at::Tensor& queries, const at::Tensor& keys,
                                 const at::Tensor& values) const {
  const std::int64_t total = keys.size(2);
  const std::int64_t window = setting_.sliding_window;
  const std::int64_t first = window > 0 ? std::max<std::int64_t>(0, total - window) : 0;
  DecodeInput input{queries, keys.slice(2, first), values.slice(2, first), setting_.scale, {}};
  if (setting_.bias) input.bias = (*setting_.bias)(1, total).slice(3, first);
  return grouped_decode(input, key_groups_, value_groups_);
}

std::optional<at::Tensor> Attention::mask(const at::Tensor& queries, const at::Tensor& keys) const {
  const std::int64_t length = queries.size(2);
  const std::int64_t total = keys.size(2);
  if (setting_.bias) {
    const at::Tensor bias = (*setting_.bias)(length, total);
    if (setting_.kind != AttentionKind::kCausal) return bias;
    const at::Tensor hidden = visible(length, total, keys.device()).logical_not();
    return bias.masked_fill(hidden, -std::numeric_limits<double>::infinity());
  }
  const std::int64_t window = setting_.sliding_window;
  if (window == 0 || window >= total) return std::nullopt;
  return visible(length, total, keys.device());
}

at::Tensor Attention::visible(std::int64_t length, std::int64_t total,
                              const at::Device& device) const {
  const at::Tensor all = at::ones({length, total}, at::TensorOptions(device).dtype(at::kBool));
  if (setting_.kind != AttentionKind::kCausal) return all;
  const at::Tensor earlier = all.tril(total - length);
  const std::int64_t window = setting_.sliding_window;
  return window > 0 ? earlier.triu(total - length - window + 1) : earlier;
}

Attention Attention::with_cache(CacheType type, KeyOrder order) const {
  Attention copy = *this;
  copy.setting_.codec = CacheCodec(type, setting_.head_dim, order, device_);
  return copy;
}

Attention Attention::with_own_weights() const {
  Attention copy = *this;
  for (Linear* linear : {&copy.query_, &copy.key_, &copy.value_, &copy.output_}) {
    linear->weight = linear->weight.detach().requires_grad_(true);
    if (linear->bias.defined()) linear->bias = linear->bias.detach().requires_grad_(true);
  }
  return copy;
}

std::vector<at::Tensor> Attention::parameters() const {
  std::vector<at::Tensor> parameters;
  for (const Linear* linear : {&query_, &key_, &value_, &output_}) {
    parameters.push_back(linear->weight);
    if (linear->bias.defined()) parameters.push_back(linear->bias);
  }
  return parameters;
}

AttentionTrace Attention::trace(const AttentionInput& input) const {
  AttentionTrace trace;
  trace.plain_queries = plain_queries(input.queries);
  trace.queries = rotary().apply(trace.plain_queries, 0);
  trace.keys = select_heads(rotary().apply(keys(input.keys), 0), key_of_query_);
  const at::Tensor values = select_heads(split_heads(value_(input.keys)), value_of_query_);
  trace.logits = at::matmul(trace.queries, trace.keys.transpose(2, 3)) * setting_.scale;
  const std::int64_t length = trace.queries.size(2);
  const std::int64_t total = trace.keys.size(2);
  if (setting_.bias) trace.logits = trace.logits + (*setting_.bias)(length, total);
  const at::Tensor hidden = visible(length, total, trace.keys.device()).logical_not();
  trace.logits = trace.logits.masked_fill(hidden, -std::numeric_limits<double>::infinity());
  trace.attention = at::softmax(trace.logits, -1);
  trace.mixed = at::matmul(trace.attention, values).transpose(1, 2).flatten(2);
  return trace;
}

}  // namespace regroup::models
