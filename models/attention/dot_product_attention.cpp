#include "models/attention/dot_product_attention.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "models/attention/fused_attention.hpp"
#include "models/attention/heads.hpp"
#include "models/attention/placed_linear.hpp"
#include "models/tensors/tensors.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

/// Undefined if every query head reads the stored head of its own number: no copy is needed then.
at::Tensor index_of(const HeadMap& map, const at::Device& device) {
  if (map.is_identity()) return {};
  const std::vector<int>& heads = map.stored_of_query();
  const std::vector<std::int64_t> wide(heads.begin(), heads.end());
  return at::tensor(wide, at::kLong).to(device);
}

/// How many query heads read each stored one, [1, n, 1, 1].
at::Tensor readers_of(const HeadMap& map, const at::Device& device) {
  std::vector<float> readers(static_cast<std::size_t>(map.stored()));
  for (const int head : map.stored_of_query()) ++readers[static_cast<std::size_t>(head)];
  return at::tensor(readers).to(device).view({1, -1, 1, 1});
}

/// That of the source, or of keys with frequencies of their own.
std::shared_ptr<const Rotary> rotary_of(const MergedAttention& layer,
                                        const std::shared_ptr<const Rotary>& source) {
  if (!layer.widths) return source;
  return std::make_shared<const Rotary>(source->with_frequencies(layer.key_frequencies));
}

void require_size(std::string_view projection, std::int64_t found, std::int64_t expected) {
  if (found == expected) return;
  throw WorkError({.what = "a projection does not have the size of its heads",
                   .where = std::string(projection),
                   .expected = std::to_string(expected),
                   .found = std::to_string(found)});
}

at::Tensor on_cpu(const at::Tensor& tensor) {
  return tensor.defined() ? tensor.detach().cpu() : tensor;
}

}  // namespace

DotProductAttention::Selection::Selection(const HeadMap& map, const at::Device& device)
    : index(index_of(map, device)), groups(map, device), readers(readers_of(map, device)) {}

at::Tensor DotProductAttention::Selection::select(const at::Tensor& stored) const {
  return index.defined() ? stored.index_select(1, index) : stored;
}

DotProductAttention::DotProductAttention(const MergedAttention& layer, AttentionSetting setting,
                                         const ComputeOptions& options)
    : setting_(std::move(setting)),
      widths_(layer.widths),
      key_frequencies_(layer.key_frequencies),
      rotary_(rotary_of(layer, setting_.rotary)),
      query_(placed_linear(layer.weights.query, layer.weights.query_bias, options)),
      key_(placed_linear(layer.weights.key, layer.weights.key_bias, options)),
      value_(placed_linear(layer.weights.value, layer.weights.value_bias, options)),
      output_(placed_linear(layer.weights.output, layer.weights.output_bias, options)),
      device_(torch_device(options.device)),
      type_(scalar_type(options.dtype)),
      key_map_(layer.key_map),
      value_map_(layer.value_map),
      read_keys_(key_map_, device_),
      read_values_(value_map_, device_) {
  take_norms(layer, options);
  require_rows();
  const bool has_own_scale = widths_ && setting_.scales_by_width;
  scale_ = has_own_scale ? 1 / std::sqrt(static_cast<double>(key_width())) : setting_.scale;
}

void DotProductAttention::take_norms(const MergedAttention& layer, const ComputeOptions& options) {
  if (!setting_.norms_all_heads) return;
  setting_.query_norm->weight = to_compute(layer.weights.query_norm, options);
  setting_.key_norm->weight = to_compute(layer.weights.key_norm, options);
}

void DotProductAttention::require_rows() const {
  const std::int64_t heads = key_map_.queries();
  require_size("value map, query heads", value_map_.queries(), heads);
  require_size("key, rows", key_.weight.size(0), key_map_.stored() * key_width());
  require_size("value, rows", value_.weight.size(0), value_map_.stored() * value_width());
  require_size("query, rows", query_.weight.size(0), heads * key_width());
  require_size("output, columns", output_.weight.size(1), heads * value_width());
}

std::unique_ptr<LayerCache> DotProductAttention::make_cache(std::int64_t batch,
                                                            std::int64_t capacity) const {
  const auto room = [&](const HeadMap& map, std::int64_t width) {
    return HeadCache(
        at::empty({batch, map.stored(), capacity, width}, at::TensorOptions(device_).dtype(type_)));
  };
  return std::make_unique<KeyValueCache>(room(key_map_, key_width()),
                                         room(value_map_, value_width()));
}

at::Tensor DotProductAttention::normed(const at::Tensor& heads, const std::optional<Norm>& norm,
                                       const at::Tensor& readers) const {
  if (!norm) return heads;
  if (!setting_.norms_all_heads) return (*norm)(heads);
  const at::Tensor of_heads = at_least_float(heads).square().mean(3, /*keepdim=*/true);
  const at::Tensor mean = readers.defined()
                              ? (of_heads * readers).sum(1, /*keepdim=*/true) / readers.sum()
                              : of_heads.mean(1, /*keepdim=*/true);
  Norm own = *norm;
  own.weight = norm->weight.view({1, heads.size(1), 1, heads.size(3)});
  return root_mean_square_norm(heads, mean, own);
}

at::Tensor DotProductAttention::clipped(const at::Tensor& heads) const {
  return setting_.clip ? heads.clamp(-*setting_.clip, *setting_.clip) : heads;
}

at::Tensor DotProductAttention::plain_queries(const at::Tensor& x) const {
  return clipped(normed(split_heads(query_(x), key_width()), setting_.query_norm, {}));
}

at::Tensor DotProductAttention::keys(const at::Tensor& x) const {
  return clipped(normed(split_heads(key_(x), key_width()), setting_.key_norm, read_keys_.readers));
}

at::Tensor DotProductAttention::values(const at::Tensor& x) const {
  return clipped(split_heads(value_(x), value_width()));
}

at::Tensor DotProductAttention::mix(const AttentionInput& input, const AttentionPass& pass) const {
  const at::Tensor queries = rotary().apply(plain_queries(input.queries), pass.offset);
  at::Tensor keys = codec_.keys(rotary().apply(this->keys(input.keys), pass.offset));
  at::Tensor values = codec_.values(this->values(input.keys));
  if (pass.cache != nullptr) {
    auto& cache = cache_as<KeyValueCache>(*pass.cache, name());
    keys = cache.keys().append(keys);
    values = cache.values().append(values);
    if (queries.size(2) == 1) return join_heads(mix_newest(queries, keys, values));
  }
  const std::optional<at::Tensor> mask = this->mask(queries, keys);
  // A single position may see everything; more than one only follows an empty cache.
  const bool is_causal = setting_.kind == AttentionKind::kCausal && queries.size(2) > 1 && !mask;
  const at::Tensor read_keys = read_keys_.select(keys);
  const at::Tensor read_values = read_values_.select(values);
  const at::Tensor mixed =
      setting_.cap ? capped_attention(queries, read_keys, read_values, mask, scale_, *setting_.cap)
                   : fused_attention(queries, read_keys, read_values, mask, is_causal, scale_);
  return join_heads(mixed);
}

at::Tensor DotProductAttention::mix_newest(const at::Tensor& queries, const at::Tensor& keys,
                                           const at::Tensor& values) const {
  const std::int64_t total = keys.size(2);
  const std::int64_t window = setting_.sliding_window;
  const std::int64_t first = window > 0 ? std::max<std::int64_t>(0, total - window) : 0;
  DecodeInput input{queries, keys.slice(2, first), values.slice(2, first),
                    scale_,  setting_.cap,         {}};
  if (const auto bias = position_bias(1, total)) input.bias = bias->slice(3, first);
  return grouped_decode(input, read_keys_.groups, read_values_.groups);
}

std::optional<at::Tensor> DotProductAttention::mask(const at::Tensor& queries,
                                                    const at::Tensor& keys) const {
  const std::int64_t length = queries.size(2);
  const std::int64_t total = keys.size(2);
  if (const auto bias = position_bias(length, total)) {
    if (setting_.kind != AttentionKind::kCausal) return bias;
    const at::Tensor hidden = visible(length, total, keys.device()).logical_not();
    return at::where(hidden, -std::numeric_limits<double>::infinity(), *bias);
  }
  const std::int64_t window = setting_.sliding_window;
  // Without a fused kernel the causal rule is a mask too.
  const bool is_plain = setting_.cap && setting_.kind == AttentionKind::kCausal;
  if (!is_plain && (window == 0 || window >= total)) return std::nullopt;
  return visible(length, total, keys.device());
}

std::optional<at::Tensor> DotProductAttention::position_bias(std::int64_t length,
                                                             std::int64_t total) const {
  if (setting_.bias) return (*setting_.bias)(length, total);
  if (setting_.alibi) return (*setting_.alibi)(total);
  return std::nullopt;
}

at::Tensor DotProductAttention::visible(std::int64_t length, std::int64_t total,
                                        const at::Device& device) const {
  const at::Tensor all = at::ones({length, total}, at::TensorOptions(device).dtype(at::kBool));
  if (setting_.kind != AttentionKind::kCausal) return all;
  const at::Tensor earlier = all.tril(total - length);
  const std::int64_t window = setting_.sliding_window;
  return window > 0 ? earlier.triu(total - length - window + 1) : earlier;
}

std::shared_ptr<const Attention> DotProductAttention::with_cache(CacheType type,
                                                                 KeyOrder order) const {
  auto changed = std::make_shared<DotProductAttention>(*this);
  changed->cache_type_ = type;
  changed->key_order_ = order;
  changed->codec_ = CacheCodec(type, {key_width(), value_width()}, order, device_);
  return changed;
}

std::shared_ptr<const Attention> DotProductAttention::with(const MergedAttention& layer,
                                                           const ComputeOptions& options) const {
  return DotProductAttention(layer, setting_, options).with_cache(cache_type_, key_order_);
}

std::shared_ptr<const DotProductAttention> DotProductAttention::with_maps(
    const HeadMap& keys, const HeadMap& values) const {
  auto changed = std::make_shared<DotProductAttention>(*this);
  changed->key_map_ = keys;
  changed->value_map_ = values;
  changed->read_keys_ = Selection(keys, device_);
  changed->read_values_ = Selection(values, device_);
  changed->require_rows();
  return changed;
}

void DotProductAttention::visit_tensors(const TensorVisitor& visit) {
  const auto visit_linear = [&](const std::string& name, Linear& linear) {
    visit(name + ".weight", linear.weight, TensorUse::kParameter);
    visit(name + ".bias", linear.bias, TensorUse::kParameter);
  };
  visit_linear("query", query_);
  visit_linear("key", key_);
  visit_linear("value", value_);
  visit_linear("output", output_);
  if (setting_.query_norm) {
    visit("query_norm.weight", setting_.query_norm->weight, TensorUse::kParameter);
  }
  if (setting_.key_norm) {
    visit("key_norm.weight", setting_.key_norm->weight, TensorUse::kParameter);
  }
  if (setting_.bias) {
    at::Tensor table = setting_.bias->table();
    visit("relative_bias.weight", table, TensorUse::kParameter);
    setting_.bias = std::make_shared<RelativeBias>(setting_.bias->with_table(table));
  }
}

AttentionTrace DotProductAttention::trace(const AttentionInput& input) const {
  AttentionTrace trace;
  trace.plain_queries = plain_queries(input.queries);
  trace.queries = rotary().apply(trace.plain_queries, 0);
  trace.scale = scale_;
  trace.keys = read_keys_.select(rotary().apply(keys(input.keys), 0));
  trace.values = read_values_.select(values(input.keys));
  trace.logits = at::matmul(trace.queries, trace.keys.transpose(2, 3)) * scale_;
  const std::int64_t length = trace.queries.size(2);
  const std::int64_t total = trace.keys.size(2);
  if (setting_.cap) trace.logits = capped(trace.logits, *setting_.cap);
  if (const auto bias = position_bias(length, total)) trace.logits = trace.logits + *bias;
  const at::Tensor hidden = visible(length, total, trace.keys.device()).logical_not();
  trace.logits = trace.logits.masked_fill(hidden, -std::numeric_limits<double>::infinity());
  trace.attention = at::softmax(trace.logits, -1);
  trace.mixed = join_heads(at::matmul(trace.attention, trace.values));
  return trace;
}

MergedAttention DotProductAttention::fold() const {
  const auto own_norm = [&](const std::optional<Norm>& norm) {
    return setting_.norms_all_heads ? on_cpu(norm->weight) : at::Tensor();
  };
  return {{.query = on_cpu(query_.weight),
           .key = on_cpu(key_.weight),
           .value = on_cpu(value_.weight),
           .output = on_cpu(output_.weight),
           .query_bias = on_cpu(query_.bias),
           .key_bias = on_cpu(key_.bias),
           .value_bias = on_cpu(value_.bias),
           .output_bias = on_cpu(output_.bias),
           .query_norm = own_norm(setting_.query_norm),
           .key_norm = own_norm(setting_.key_norm)},
          key_map_,
          value_map_,
          widths_,
          key_frequencies_};
}

const DotProductAttention& as_dot_product(const Attention& attention, std::string_view purpose) {
  const auto* own = dynamic_cast<const DotProductAttention*>(&attention);
  if (own != nullptr) return *own;
  throw InputError({.what = fmt::format("{} needs another kind of attention", purpose),
                    .expected = "dot product",
                    .found = std::string(attention.name())});
}

}  // namespace regroup::models
