#include "tests/models/attention/attention_kinds.hpp"

#include <cmath>
#include <limits>
#include <utility>

#include "tests/models/attention/attention_scene.hpp"

namespace regroup::tests {

using namespace regroup::models;

namespace {

/// [batch, length, heads · width] → [batch, heads, length, width].
at::Tensor split_heads(const at::Tensor& x, std::int64_t heads) {
  return x.view({x.size(0), x.size(1), heads, -1}).transpose(1, 2);
}

at::Tensor joined(const at::Tensor& heads) {
  return heads.transpose(1, 2).flatten(2);
}

at::Tensor feature(const at::Tensor& x) {
  return at::elu(x) + 1;
}

template <class Visitor>
void visit_projections(OwnProjections& own, const Visitor& visit) {
  const auto visit_linear = [&](const std::string& name, Linear& linear) {
    visit(name + ".weight", linear.weight, TensorUse::kParameter);
    visit(name + ".bias", linear.bias, TensorUse::kParameter);
  };
  visit_linear("query", own.query);
  for (std::size_t m = 0; m < own.keys.size(); ++m) {
    visit_linear("key_" + std::to_string(m), own.keys[m]);
  }
  visit_linear("value", own.value);
  visit_linear("output", own.output);
}

}  // namespace

namespace {

struct LinearState final : LayerCache {
  LinearState(at::Tensor no_products, at::Tensor no_features)
      : products(std::move(no_products)), features(std::move(no_features)) {}

  std::int64_t bytes() const override {
    return static_cast<std::int64_t>(products.nbytes() + features.nbytes());
  }
  std::int64_t bytes_per_position() const override { return 0; }

  at::Tensor products;  // Σ φ(k) vᵀ, [batch, H, width, value width]
  at::Tensor features;  // Σ φ(k), [batch, H, width]
};

}  // namespace

std::unique_ptr<LayerCache> LinearAttention::make_cache(std::int64_t batch, std::int64_t) const {
  const std::int64_t value_width = own_.value.weight.size(0) / own_.heads;
  return std::make_unique<LinearState>(at::zeros({batch, own_.heads, own_.width(), value_width}),
                                       at::zeros({batch, own_.heads, own_.width()}));
}

at::Tensor LinearAttention::mix(const AttentionInput& input, const AttentionPass& pass) const {
  const at::Tensor queries = feature(split_heads(own_.query(input.queries), own_.heads));
  const at::Tensor keys = feature(split_heads(own_.keys[0](input.keys), own_.heads));
  const at::Tensor values = split_heads(own_.value(input.keys), own_.heads);
  at::Tensor products = (keys.unsqueeze(4) * values.unsqueeze(3)).cumsum(2);
  at::Tensor features = keys.cumsum(2);
  if (pass.cache != nullptr) {
    auto& state = cache_as<LinearState>(*pass.cache, name());
    products = products + state.products.unsqueeze(2);
    features = features + state.features.unsqueeze(2);
    state.products.copy_(products.select(2, -1));
    state.features.copy_(features.select(2, -1));
  }
  const at::Tensor sums = at::matmul(queries.unsqueeze(3), products).squeeze(3);
  return joined(sums / (queries * features).sum(-1, /*keepdim=*/true));
}

AttentionTrace LinearAttention::trace(const AttentionInput& input) const {
  const at::Tensor queries = feature(split_heads(own_.query(input.queries), own_.heads));
  const at::Tensor keys = feature(split_heads(own_.keys[0](input.keys), own_.heads));
  const at::Tensor shares = at::matmul(queries, keys.transpose(2, 3)).tril();
  AttentionTrace trace;
  trace.values = split_heads(own_.value(input.keys), own_.heads);
  trace.attention = shares / shares.sum(-1, /*keepdim=*/true);
  trace.mixed = joined(at::matmul(trace.attention, trace.values));
  return trace;
}

void LinearAttention::visit_tensors(const TensorVisitor& visit) {
  visit_projections(own_, visit);
}

}  // namespace regroup::tests
