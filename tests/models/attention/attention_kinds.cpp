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

/// Shows the tensors of an attention that another one holds; gives what it becomes.
template <class Visitor>
std::shared_ptr<const DotProductAttention> visit_inner(const DotProductAttention& inner,
                                                       const Visitor& visit) {
  return std::dynamic_pointer_cast<const DotProductAttention>(
      inner.with_tensors([&](const NamedTensor& own) {
        at::Tensor tensor = own.tensor;
        visit(own.name, tensor, own.use);
        return tensor;
      }));
}

at::Tensor tensor_of(const HeadMap& map) {
  const std::vector<std::int64_t> heads(map.stored_of_query().begin(), map.stored_of_query().end());
  return at::tensor(heads, at::kLong);
}

}  // namespace

DealtAttention::DealtAttention(std::shared_ptr<const DotProductAttention> inner)
    : inner_(std::move(inner)), deal_(tensor_of(inner_->key_map())) {}

HeadMap DealtAttention::dealt(search::RandomKey key) const {
  search::RandomStream random(key);
  std::vector<int> heads;
  for (int query = 0; query < inner_->key_map().queries(); ++query) {
    heads.push_back(random.below(inner_->key_map().stored()));
  }
  return {std::move(heads), inner_->key_map().stored()};
}

std::shared_ptr<const DotProductAttention> DealtAttention::frozen() const {
  const std::int64_t* deal = deal_.const_data_ptr<std::int64_t>();
  const std::vector<int> heads(deal, deal + deal_.numel());
  const HeadMap map(heads, inner_->key_map().stored());
  return inner_->with_maps(map, map);
}

at::Tensor DealtAttention::mix(const AttentionInput& input, const AttentionPass& pass) const {
  if (!pass.is_training) return frozen()->mix(input, pass);
  if (pass.sums != nullptr) {
    const at::Tensor norms =
        inner_->keys(input.keys).detach().square().sum(at::IntArrayRef{0, 2, 3});
    *pass.sums = pass.sums->defined() ? *pass.sums + norms : norms;
  }
  const HeadMap map = dealt(pass.key);
  return inner_->with_maps(map, map)->mix(input, pass);
}

std::shared_ptr<const Attention> DealtAttention::after_step(const at::Tensor& sums,
                                                            std::uint64_t) const {
  // Query heads in order go to the stored head that has most left of its norm.
  at::Tensor left = sums.sqrt();
  const at::Tensor share = left.sum() / deal_.numel();
  at::Tensor counts = at::zeros({sums.numel()}, at::kLong);
  for (std::int64_t query = 0; query < deal_.numel(); ++query) {
    const std::int64_t most = left.argmax().item<std::int64_t>();
    counts[most] += 1;
    left[most] -= share;
  }
  auto next = std::make_shared<DealtAttention>(*this);
  next->deal_ = at::repeat_interleave(counts);
  return next;
}

void DealtAttention::visit_tensors(const TensorVisitor& visit) {
  inner_ = visit_inner(*inner_, visit);
  visit("deal", deal_, TensorUse::kState);
}

at::Tensor NoisyAttention::mix(const AttentionInput& input, const AttentionPass& pass) const {
  if (!pass.is_training) return inner_->mix(input, pass);
  const AttentionTrace trace = inner_->trace(input);
  const at::Tensor noise = size_ * normal(pass.key, trace.attention.sizes().vec());
  return joined(at::matmul(trace.attention - noise, trace.values));
}

void NoisyAttention::visit_tensors(const TensorVisitor& visit) {
  inner_ = visit_inner(*inner_, visit);
}

namespace {

struct MixtureCache final : LayerCache {
  MixtureCache(std::vector<HeadCache> key_caches, HeadCache value_cache)
      : keys(std::move(key_caches)), values(std::move(value_cache)) {}

  std::int64_t bytes() const override {
    std::int64_t sum = values.bytes();
    for (const HeadCache& key : keys) sum += key.bytes();
    return sum;
  }
  std::int64_t bytes_per_position() const override {
    std::int64_t sum = values.bytes_per_position();
    for (const HeadCache& key : keys) sum += key.bytes_per_position();
    return sum;
  }

  std::vector<HeadCache> keys;
  HeadCache values;
};

}  // namespace

std::unique_ptr<LayerCache> MixtureAttention::make_cache(std::int64_t batch,
                                                         std::int64_t capacity) const {
  const auto room = [&](const Linear& linear) {
    return HeadCache(at::empty({batch, own_.heads, capacity, linear.weight.size(0) / own_.heads}));
  };
  std::vector<HeadCache> keys;
  for (const Linear& key : own_.keys) keys.push_back(room(key));
  return std::make_unique<MixtureCache>(std::move(keys), room(own_.value));
}

at::Tensor MixtureAttention::logits(const at::Tensor& queries,
                                    const std::vector<at::Tensor>& keys) const {
  const double variance = std::sqrt(static_cast<double>(own_.width()));
  std::vector<at::Tensor> components;
  for (std::size_t m = 0; m < keys.size(); ++m) {
    const at::Tensor distances = (queries.unsqueeze(3) - keys[m].unsqueeze(2)).square().sum(-1);
    const at::Tensor prior = prior_.select(1, static_cast<std::int64_t>(m)).log();
    components.push_back(prior.view({1, -1, 1, 1}) - distances / (2 * variance));
  }
  const at::Tensor logits = at::logsumexp(at::stack(components), 0);
  const std::int64_t length = logits.size(2);
  const std::int64_t total = logits.size(3);
  const at::Tensor seen = at::ones({length, total}, at::kBool).tril(total - length);
  return logits.masked_fill(seen.logical_not(), -std::numeric_limits<double>::infinity());
}

at::Tensor MixtureAttention::mix(const AttentionInput& input, const AttentionPass& pass) const {
  const at::Tensor queries = split_heads(own_.query(input.queries), own_.heads);
  std::vector<at::Tensor> keys;
  for (const Linear& key : own_.keys) keys.push_back(split_heads(key(input.keys), own_.heads));
  at::Tensor values = split_heads(own_.value(input.keys), own_.heads);
  if (pass.cache != nullptr) {
    auto& cache = cache_as<MixtureCache>(*pass.cache, name());
    for (std::size_t m = 0; m < keys.size(); ++m) keys[m] = cache.keys[m].append(keys[m]);
    values = cache.values.append(values);
  }
  return joined(at::matmul(at::softmax(logits(queries, keys), -1), values));
}

AttentionTrace MixtureAttention::trace(const AttentionInput& input) const {
  AttentionTrace trace;
  trace.queries = split_heads(own_.query(input.queries), own_.heads);
  trace.plain_queries = trace.queries;
  std::vector<at::Tensor> keys;
  for (const Linear& key : own_.keys) keys.push_back(split_heads(key(input.keys), own_.heads));
  trace.values = split_heads(own_.value(input.keys), own_.heads);
  trace.logits = logits(trace.queries, keys);
  trace.attention = at::softmax(trace.logits, -1);
  trace.mixed = joined(at::matmul(trace.attention, trace.values));
  return trace;
}

void MixtureAttention::visit_tensors(const TensorVisitor& visit) {
  visit_projections(own_, visit);
  visit("prior", prior_, TensorUse::kParameter);
}

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
