#include "models/transformer/transformer.hpp"

#include <utility>

#include "models/attention/make_attention.hpp"
#include "models/transformer/module_reader.hpp"

namespace regroup::models {
namespace {

std::shared_ptr<const RelativeBias> read_bias(const ModuleReader& reader, std::string_view module,
                                              bool looks_ahead) {
  if (module.empty()) return nullptr;
  return std::make_shared<RelativeBias>(reader.weight(module), reader.config().relative_bias,
                                        looks_ahead);
}

std::optional<Norm> read_norm(const ModuleReader& reader, std::string_view module) {
  if (module.empty()) return std::nullopt;
  return reader.norm(module);
}

/// A norm of the rows of a head: always by the root mean square.
Norm head_norm(const ModuleReader& reader, const std::string& module) {
  return {reader.weight(module), {}, reader.config().norm_epsilon};
}

ModuleReader checked_reader(const PretrainedModel& model, const ComputeOptions& options) {
  require_finite_attention(model);
  return {model, options};
}

}  // namespace

Transformer::Transformer(const PretrainedModel& model, const ComputeOptions& options)
    : options_(options),
      order_(model.config.order),
      width_(model.config.width),
      encoder_layers_(static_cast<std::size_t>(model.config.encoder_layers)),
      kind_(model.config.kind),
      decoder_start_(model.config.decoder_start.value_or(0)),
      image_shape_{model.config.image.channels, model.config.image.size, model.config.image.size},
      embedding_(checked_reader(model, options)),
      head_(ModuleReader(model, options), embedding_) {
  const ModuleReader reader(model, options);
  const ModelConfig& config = model.config;
  const ModelModules& names = model.spec.model;
  rotary_ = std::make_shared<Rotary>(config.rotary, config.context, options);
  encoder_bias_ = read_bias(reader, names.encoder_bias, /*looks_ahead=*/true);
  decoder_bias_ = read_bias(reader, names.decoder_bias, /*looks_ahead=*/false);
  for (int layer = 0; layer < config.layers; ++layer) layers_.push_back(read_layer(reader, layer));
  encoder_norm_ = read_norm(reader, names.encoder_norm);
  if (config.final_norm) final_norm_ = read_norm(reader, names.final_norm);
}

AttentionSetting Transformer::setting(const ModuleReader& reader, int layer) const {
  const ModelConfig& config = reader.config();
  const LayerPlace place = reader.model().place(layer);
  AttentionSetting setting{.kind = place.kind,
                           .sliding_window = config.sliding_window(static_cast<std::size_t>(layer)),
                           .scale = config.score_scale(),
                           .query_norm = {},
                           .key_norm = {},
                           .rotary = rotary_,
                           .bias = nullptr};
  if (config.query_key_norm) {
    setting.query_norm = head_norm(reader, place.name(&LayerModules::query_norm));
    setting.key_norm = head_norm(reader, place.name(&LayerModules::key_norm));
  }
  if (place.kind == AttentionKind::kFull) setting.bias = encoder_bias_;
  if (place.kind == AttentionKind::kCausal) setting.bias = decoder_bias_;
  return setting;
}

Transformer::Layer Transformer::read_layer(const ModuleReader& reader, int layer) const {
  const LayerPlace place = reader.model().place(layer);
  const MlpConfig& mlp = reader.config().mlp;
  Layer result{reader.norm(place.name(&LayerModules::attention_norm)),
               make_attention(reader.model(), layer, setting(reader, layer), options_),
               {},
               std::nullopt};
  if (place.modules.up.empty()) return result;
  result.mlp_norm = reader.norm(place.name(&LayerModules::mlp_norm));
  result.mlp = Mlp{{},
                   reader.linear(place.up_name(mlp), mlp.has_bias),
                   reader.linear(place.name(&LayerModules::down), mlp.has_bias),
                   mlp.activation};
  if (mlp.is_gated) {
    result.mlp->gate = reader.linear(place.name(&LayerModules::gate), mlp.has_bias);
  }
  return result;
}

void Transformer::replace_attention(std::size_t layer, std::shared_ptr<const Attention> attention) {
  layers_[layer].attention = std::move(attention);
}

void Transformer::replace_attention(std::size_t layer, const MergedAttention& attention) {
  replace_attention(layer, layers_[layer].attention->with(attention, options_));
}

void Transformer::set_cache(CacheType type, KeyOrder order) {
  for (Layer& layer : layers_) {
    layer.attention = layer.attention->with_cache(type, order);
  }
}

Stream Transformer::embed(const InputBatch& input, std::int64_t offset) const {
  if (kind_ == ModelKind::kImage) return {embedding_.patches(input.pixels), {}, {}};
  Stream stream{embedding_.tokens(input.ids, offset), {}, {}};
  if (encoder_layers_ > 0) stream.waiting = embedding_.tokens(input.decoder_ids, 0);
  return stream;
}

AttentionInput Transformer::attention_input(std::size_t layer, const Stream& stream) const {
  const Layer& at = layers_[layer];
  const bool is_normed = order_ != ResidualOrder::kPostNorm;
  const at::Tensor own = is_normed ? at.attention_norm(stream.hidden) : stream.hidden;
  return {own, at.attention->kind() == AttentionKind::kCross ? stream.memory : own};
}

at::Tensor Transformer::residual(std::size_t layer, const Stream& stream) const {
  const Layer& at = layers_[layer];
  if (order_ != ResidualOrder::kParallel) return stream.hidden;
  return stream.hidden + (*at.mlp)(at.mlp_norm(stream.hidden));
}

at::Tensor Transformer::after_mlp(const Layer& layer, const at::Tensor& states) const {
  if (!layer.mlp) return states;
  if (order_ == ResidualOrder::kPostNorm) return layer.mlp_norm(states + (*layer.mlp)(states));
  return states + (*layer.mlp)(layer.mlp_norm(states));
}

Stream Transformer::after_attention(std::size_t layer, const Stream& stream,
                                    const at::Tensor& output) const {
  const Layer& at = layers_[layer];
  Stream next = stream;
  next.hidden = residual(layer, stream) + output;
  if (order_ == ResidualOrder::kPostNorm) next.hidden = at.attention_norm(next.hidden);
  if (order_ != ResidualOrder::kParallel) next.hidden = after_mlp(at, next.hidden);
  if (layer + 1 != encoder_layers_) return next;
  return {stream.waiting, {}, (*encoder_norm_)(next.hidden)};
}

at::Tensor Transformer::finish(const Stream& stream) const {
  const bool is_image = kind_ == ModelKind::kImage;
  const at::Tensor states = is_image ? stream.hidden.slice(1, 0, 1) : stream.hidden;
  return final_norm_ ? (*final_norm_)(states) : states;
}

KvCache Transformer::make_cache(std::int64_t batch, std::int64_t capacity) const {
  KvCache cache{{}, capacity, 0};
  for (const Layer& layer : layers_) {
    cache.layers.push_back(layer.attention->make_cache(batch, capacity));
  }
  return cache;
}

at::Tensor Transformer::hidden_states(const InputBatch& input, KvCache* cache,
                                      const AttentionInputObserver& observe,
                                      const ForwardPass& pass) const {
  const std::int64_t offset = cache != nullptr ? cache->length : 0;
  Stream stream = embed(input, offset);
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    AttentionPass of_layer = pass.of_layer(i);
    of_layer.offset = offset;
    if (cache != nullptr) of_layer.cache = cache->layers[i].get();
    const AttentionInput own = attention_input(i, stream);
    if (observe) observe(i, own);
    stream = after_attention(i, stream, attention(i)(own, of_layer));
  }
  if (cache != nullptr) cache->length += input.ids.size(1);
  return finish(stream);
}

}  // namespace regroup::models
