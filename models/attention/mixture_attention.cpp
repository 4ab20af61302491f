#include "models/attention/mixture_attention.hpp"

#include <fmt/format.h>

#include <limits>
#include <utility>

#include "models/attention/heads.hpp"
#include "models/attention/placed_linear.hpp"
#include "models/tensors/tensors.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

/// All stored keys of earlier positions, and their values.
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

MixtureAttention::MixtureAttention(const AttentionWeights& layer, MixtureTensors own,
                                   const MixtureConfig& config, AttentionKind kind,
                                   std::int64_t heads, const ComputeOptions& options)
    : config_(config),
      kind_(kind),
      heads_(heads),
      device_(torch_device(options.device)),
      type_(scalar_type(options.dtype)),
      query_(placed_linear(layer.query, layer.query_bias, options)),
      key_(placed_linear(layer.key, layer.key_bias, options)),
      value_(placed_linear(layer.value, layer.value_bias, options)),
      output_(placed_linear(layer.output, layer.output_bias, options)),
      own_(std::move(own)) {}

std::vector<at::Tensor> MixtureAttention::projected_keys(const at::Tensor& x) const {
  std::vector<at::Tensor> keys = {split_heads(key_(x), width())};
  for (const Linear& key : own_.keys) keys.push_back(split_heads(key(x), width()));
  return keys;
}

KeyMixture MixtureAttention::mixture_of(const std::vector<at::Tensor>& projected) const {
  KeyMixture mixture{{}, own_.prior, {}, config_.step};
  for (int m = 0; m < config_.components; ++m) {
    at::Tensor key = projected[config_.shifted ? 0 : static_cast<std::size_t>(m)];
    if (config_.shifted) key = key + own_.shifts[m].view({1, heads_, 1, width()});
    mixture.keys.push_back(key);
    mixture.inverse_variances.push_back(config_.inverse_variance(m, static_cast<int>(width())));
  }
  return mixture;
}

MixtureAttention::Heads MixtureAttention::heads_of(const AttentionInput& input,
                                                   LayerCache* cache) const {
  std::vector<at::Tensor> keys = projected_keys(input.keys);
  at::Tensor values = split_heads(value_(input.keys), value_.weight.size(0) / heads_);
  if (cache != nullptr) {
    auto& own = cache_as<MixtureCache>(*cache, name());
    for (std::size_t m = 0; m < keys.size(); ++m) keys[m] = own.keys[m].append(keys[m]);
    values = own.values.append(values);
  }
  if (config_.by_position && values.size(2) > config_.positions) {
    throw InputError({.what = "input is longer than the positions that have weights",
                      .expected = fmt::format("at most {}", config_.positions),
                      .found = fmt::format("{}", values.size(2))});
  }
  return {split_heads(query_(input.queries), width()), mixture_of(keys), values};
}

std::unique_ptr<LayerCache> MixtureAttention::make_cache(std::int64_t batch,
                                                         std::int64_t capacity) const {
  const auto room = [&](const Linear& linear) {
    return HeadCache(at::empty({batch, heads_, capacity, linear.weight.size(0) / heads_},
                               at::TensorOptions(device_).dtype(type_)));
  };
  std::vector<HeadCache> keys = {room(key_)};
  for (const Linear& key : own_.keys) keys.push_back(room(key));
  return std::make_unique<MixtureCache>(std::move(keys), room(value_));
}

at::Tensor MixtureAttention::seen(std::int64_t length, std::int64_t total) const {
  const at::Tensor all = at::ones({length, total}, at::TensorOptions(device_).dtype(at::kBool));
  return kind_ == AttentionKind::kCausal ? all.tril(total - length) : all;
}

at::Tensor MixtureAttention::shares(const Heads& heads) const {
  const at::Tensor seen = this->seen(heads.queries.size(2), heads.values.size(2));
  if (config_.is_linear) return linear_shares(linear_scores(heads.queries, heads.mixture), seen);
  const at::Tensor logits = mixture_logits(heads.queries, heads.mixture);
  return logits.masked_fill(seen.logical_not(), -std::numeric_limits<double>::infinity())
      .softmax(-1);
}

void MixtureAttention::add_responsibilities(const Heads& heads, at::Tensor& sums) const {
  KeyMixture fixed = heads.mixture;
  for (at::Tensor& key : fixed.keys) key = key.detach();
  fixed.prior = fixed.prior.detach();
  const at::Tensor queries = heads.queries.detach();
  const std::int64_t keys = heads.values.size(2);
  const at::Tensor seen = this->seen(queries.size(2), keys);
  const at::Tensor counts =
      seen.sum(0).to(at::kDouble).mul(queries.size(0)).view({1, 1, -1}).expand({1, heads_, keys});
  at::Tensor own = at::cat({responsibilities(queries, fixed, seen), counts});
  own = at::constant_pad_nd(own, {0, std::max<std::int64_t>(0, config_.positions - keys)});
  sums = sums.defined() ? sums + own : own;
}

at::Tensor MixtureAttention::mix(const AttentionInput& input, const AttentionPass& pass) const {
  const Heads heads = heads_of(input, pass.cache);
  const bool follows = config_.step == MixtureStep::kSoft && pass.is_training;
  if (follows && pass.sums != nullptr) add_responsibilities(heads, *pass.sums);
  return join_heads(at::matmul(shares(heads), heads.values));
}

AttentionTrace MixtureAttention::trace(const AttentionInput& input) const {
  const Heads heads = heads_of(input, nullptr);
  AttentionTrace trace;
  trace.plain_queries = heads.queries;
  trace.queries = heads.queries;
  trace.values = heads.values;
  trace.attention = shares(heads);
  trace.mixed = join_heads(at::matmul(trace.attention, trace.values));
  return trace;
}

std::shared_ptr<const Attention> MixtureAttention::after_step(const at::Tensor& sums,
                                                              std::uint64_t) const {
  auto next = std::make_shared<MixtureAttention>(*this);
  if (config_.step != MixtureStep::kSoft || !sums.defined()) return next;
  const at::Tensor gamma = sums.slice(0, 0, config_.components);
  const at::Tensor counts = sums[config_.components];
  at::Tensor prior;
  if (config_.by_position) {
    // Positions that no query has seen keep what they had.
    const at::Tensor before = own_.prior.to(at::kDouble);
    prior = at::where(counts.gt(0), soft_prior(gamma, counts.clamp_min(1), true), before);
  } else {
    prior = soft_prior(gamma, counts[0], false);
  }
  next->own_.prior = prior.to(own_.prior.scalar_type());
  return next;
}

void MixtureAttention::visit_tensors(const TensorVisitor& visit) {
  const auto visit_linear = [&](const std::string& name, Linear& linear) {
    visit(name + ".weight", linear.weight, TensorUse::kParameter);
    visit(name + ".bias", linear.bias, TensorUse::kParameter);
  };
  visit_linear("query", query_);
  visit_linear("key", key_);
  for (std::size_t m = 0; m < own_.keys.size(); ++m) {
    visit_linear(fmt::format("key_{}", m + 1), own_.keys[m]);
  }
  visit_linear("value", value_);
  visit_linear("output", output_);
  visit("shifts", own_.shifts, TensorUse::kParameter);
  const bool by_gradient = config_.step == MixtureStep::kGradient;
  visit("prior", own_.prior, by_gradient ? TensorUse::kParameter : TensorUse::kState);
}

}  // namespace regroup::models
