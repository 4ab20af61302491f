#include "models/transformer/blocks.hpp"

#include <cmath>
#include <limits>
#include <numeric>
#include <optional>

#include "models/transformer/tensors.hpp"

namespace regroup::models {
namespace {

Linear linear_of(const at::Tensor& weight, const at::Tensor& bias, const ComputeOptions& options) {
  return {to_compute(weight, options), bias.defined() ? to_compute(bias, options) : bias};
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

/// Appends new positions to cached ones and returns all of them.
at::Tensor extend(at::Tensor& cached, const at::Tensor& fresh) {
  cached = cached.defined() ? at::cat({cached, fresh}, 2) : fresh;
  return cached;
}

}  // namespace

at::Tensor Linear::operator()(const at::Tensor& x) const {
  return at::linear(x, weight, bias);
}

at::Tensor RmsNorm::operator()(const at::Tensor& x) const {
  const at::Tensor wide = x.to(at::kFloat);
  const at::Tensor scale = at::rsqrt(wide.square().mean(-1, /*keepdim=*/true) + epsilon);
  return weight * (wide * scale).to(x.scalar_type());
}

at::Tensor GatedMlp::operator()(const at::Tensor& x) const {
  return down(at::silu(gate(x)) * up(x));
}

Attention::Attention(const MergedAttention& layer, const ModelConfig& config, int sliding_window,
                     const ComputeOptions& options)
    : query_(linear_of(layer.weights.query, layer.weights.query_bias, options)),
      key_(linear_of(layer.weights.key, layer.weights.key_bias, options)),
      value_(linear_of(layer.weights.value, layer.weights.value_bias, options)),
      output_(linear_of(layer.weights.output, layer.weights.output_bias, options)),
      head_dim_(config.head_dim),
      sliding_window_(sliding_window) {
  const at::Device device = key_.weight.device();
  key_of_query_ = selection(layer.key_of_query, key_.weight.size(0) / head_dim_, device);
  value_of_query_ = selection(layer.value_of_query, value_.weight.size(0) / head_dim_, device);
}

at::Tensor Attention::split_heads(const at::Tensor& x) const {
  return x.view({x.size(0), x.size(1), -1, head_dim_}).transpose(1, 2);
}

at::Tensor Attention::mix(const at::Tensor& x, const Rotary& rotary, std::int64_t offset,
                          LayerCache* cache) const {
  const at::Tensor queries = rotary.apply(split_heads(query_(x)), offset);
  at::Tensor keys = rotary.apply(this->keys(x), offset);
  at::Tensor values = split_heads(value_(x));
  if (cache != nullptr) {
    keys = extend(cache->keys, keys);
    values = extend(cache->values, values);
  }
  // A single new position may see everything; more than one only follows an empty cache.
  const bool causal = x.size(1) > 1;
  std::optional<at::Tensor> mask;
  if (sliding_window_ > 0 && sliding_window_ < keys.size(2)) {
    mask = visible(x.size(1), keys.size(2), x.device());
  }
  const at::Tensor mixed = at::scaled_dot_product_attention(
      queries, select_heads(keys, key_of_query_), select_heads(values, value_of_query_), mask,
      /*dropout_p=*/0.0, causal && !mask);
  return mixed.transpose(1, 2).flatten(2);
}

at::Tensor Attention::visible(std::int64_t length, std::int64_t total,
                              const at::Device& device) const {
  const at::Tensor all = at::ones({length, total}, at::TensorOptions(device).dtype(at::kBool));
  const at::Tensor earlier = all.tril(total - length);
  return sliding_window_ > 0 ? earlier.triu(total - length - sliding_window_ + 1) : earlier;
}

Attention Attention::with_own_kv_weights() const {
  Attention copy = *this;
  for (Linear* linear : {&copy.key_, &copy.value_}) {
    linear->weight = linear->weight.detach().requires_grad_(true);
    if (linear->bias.defined()) linear->bias = linear->bias.detach().requires_grad_(true);
  }
  return copy;
}

AttentionTrace Attention::trace(const at::Tensor& x, const Rotary& rotary) const {
  AttentionTrace trace;
  trace.plain_queries = split_heads(query_(x));
  trace.queries = rotary.apply(trace.plain_queries, 0);
  trace.keys = select_heads(rotary.apply(keys(x), 0), key_of_query_);
  const at::Tensor values = select_heads(split_heads(value_(x)), value_of_query_);
  const double scale = 1.0 / std::sqrt(static_cast<double>(head_dim_));
  const at::Tensor hidden = visible(x.size(1), x.size(1), x.device()).logical_not();
  trace.logits = (at::matmul(trace.queries, trace.keys.transpose(2, 3)) * scale)
                     .masked_fill(hidden, -std::numeric_limits<double>::infinity());
  trace.attention = at::softmax(trace.logits, -1);
  trace.mixed = at::matmul(trace.attention, values).transpose(1, 2).flatten(2);
  return trace;
}

}  // namespace regroup::models
