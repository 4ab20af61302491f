#include "models/transformer/transformer.hpp"

#include <algorithm>
#include <utility>

#include "models/attention/make_attention.hpp"
#include "models/elements/tensor_view.hpp"
#include "models/tensors/tensors.hpp"
#include "models/tensors/weight_place.hpp"
#include "models/transformer/module_reader.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

std::shared_ptr<const RelativeBias> read_bias(ModuleReader& reader, std::string_view module,
                                              bool looks_ahead) {
  if (module.empty()) return nullptr;
  return std::make_shared<RelativeBias>(reader.weight(module), reader.config().relative_bias,
                                        looks_ahead);
}

std::optional<Norm> read_norm(ModuleReader& reader, std::string_view module) {
  if (module.empty()) return std::nullopt;
  return reader.norm(module);
}

/// A norm of the rows of a head: always by the root mean square.
Norm head_norm(ModuleReader& reader, const std::string& module) {
  return {reader.weight(module), {}, reader.config().norm_epsilon};
}

ModuleReader checked_reader(const PretrainedModel& model, const ComputeOptions& options) {
  require_finite_attention(model);
  return {model, options};
}

/// The projection's weight or bias that an attention layer's own tensor is; null: none of them.
const AttentionPart* find_part(std::string_view own) {
  const auto found = std::ranges::find(kAttentionParts, own, &AttentionPart::name);
  return found == kAttentionParts.end() ? nullptr : &*found;
}

/// The tensor that the overlay has for one of an attention layer, as the computation wants it.
at::Tensor placed(const at::Tensor& tensor, const NamedTensor& own, const ComputeOptions& options) {
  if (tensor.sizes() != own.tensor.sizes()) {
    throw InputError({.what = "tensor in place of an attention's has another shape",
                      .where = own.name,
                      .expected = shape_text(own.tensor.sizes().vec()),
                      .found = shape_text(tensor.sizes().vec())});
  }
  const AttentionPart* part = find_part(own.name);
  const bool is_weight = part != nullptr && !part->is_bias;
  return is_weight ? place_weight(tensor, options) : to_compute(tensor, options);
}

/// The projections of an attention layer with other heads, those that the overlay names among them.
MergedAttention projections_of(const Attention& attention, const OverlaidHeads& heads,
                               const AttentionNames& names, const WeightOverlay& overlay) {
  MergedAttention merged;
  if (heads.make) merged = heads.make();
  merged.key_map = heads.maps.keys;
  merged.value_map = heads.maps.values;
  const std::vector<NamedTensor> tensors = attention.tensors();
  for (const AttentionPart& part : kAttentionParts) {
    at::Tensor& tensor = merged.weights.*part.member;
    if (const at::Tensor* own = overlay.find(names(part.name))) tensor = *own;
    const auto found = std::ranges::find(tensors, part.name, &NamedTensor::name);
    if (!tensor.defined() && found != tensors.end()) tensor = found->tensor;
  }
  return merged;
}

}  // namespace

Transformer::Transformer(const PretrainedModel& model, const ComputeOptions& options)
    : Transformer(checked_reader(model, options)) {}

Transformer::Transformer(ModuleReader reader)
    : options_(reader.options()),
      order_(reader.config().order),
      width_(reader.config().width),
      encoder_layers_(static_cast<std::size_t>(reader.config().encoder_layers)),
      kind_(reader.config().kind),
      decoder_start_(reader.config().decoder_start.value_or(0)),
      image_shape_{reader.config().image.channels, reader.config().image.size,
                   reader.config().image.size},
      embedding_(reader),
      head_(reader, embedding_) {
  const ModelConfig& config = reader.config();
  const ModelModules& names = reader.model().spec.model;
  rotary_ = std::make_shared<Rotary>(config.rotary, config.context, options_);
  encoder_bias_ = read_bias(reader, names.encoder_bias, /*looks_ahead=*/true);
  decoder_bias_ = read_bias(reader, names.decoder_bias, /*looks_ahead=*/false);
  for (int layer = 0; layer < config.layers; ++layer) {
    layers_.push_back({{},
                       make_attention(reader.model(), layer, setting(reader, layer), options_),
                       {},
                       std::nullopt,
                       AttentionNames(reader.model(), layer)});
    read_block(reader, layer, layers_.back());
  }
  read_last_norms(reader);
  tensors_ = std::move(reader).take_tensors();
}

Transformer::Transformer(const PretrainedModel& model, const Transformer& base,
                         const WeightOverlay& overlay)
    : Transformer(base) {
  const WeightOverlay parts = in_projections(model, overlay);
  lay_over_attention(parts);
  for (const auto& [name, tensor] : parts.tensors()) {
    overlaid_.insert(name);
    trainable_.erase(name);
    if (tensor.requires_grad()) trainable_[name] = tensor;
  }
  if (!parts.tensors().empty()) {
    ModuleReader reader(model, options_, parts, base.tensors_);
    embedding_ = Embedding(reader);
    head_ = OutputHead(reader, embedding_);
    for (std::size_t layer = 0; layer < layers_.size(); ++layer) {
      read_block(reader, static_cast<int>(layer), layers_[layer]);
    }
    read_last_norms(reader);
    tensors_ = std::move(reader).take_tensors();
  }
  require_known(parts);
}

AttentionSetting Transformer::setting(ModuleReader& reader, int layer) const {
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

void Transformer::read_block(ModuleReader& reader, int layer, Layer& out) {
  const LayerPlace place = reader.model().place(layer);
  const MlpConfig& mlp = reader.config().mlp;
  out.attention_norm = reader.norm(place.name(&LayerModules::attention_norm));
  if (place.modules.up.empty()) return;
  out.mlp_norm = reader.norm(place.name(&LayerModules::mlp_norm));
  out.mlp = Mlp{{},
                reader.linear(place.up_name(mlp), mlp.has_bias),
                reader.linear(place.name(&LayerModules::down), mlp.has_bias),
                mlp.activation};
  if (mlp.is_gated) {
    out.mlp->gate = reader.linear(place.name(&LayerModules::gate), mlp.has_bias);
  }
}

void Transformer::read_last_norms(ModuleReader& reader) {
  const ModelModules& names = reader.model().spec.model;
  encoder_norm_ = read_norm(reader, names.encoder_norm);
  if (reader.config().final_norm) final_norm_ = read_norm(reader, names.final_norm);
}

void Transformer::lay_over_attention(const WeightOverlay& overlay) {
  for (std::size_t layer = 0; layer < layers_.size(); ++layer) {
    const AttentionNames& names = layers_[layer].names;
    const OverlaidHeads* heads = overlay.heads(static_cast<int>(layer));
    if (heads != nullptr) {
      replace_attention(layer, projections_of(attention(layer), *heads, names, overlay));
      for (const AttentionPart& part : kAttentionParts) {
        trainable_.erase(names(part.name));
        overlaid_.erase(names(part.name));
      }
    }
    const auto is_laid_over = [&](const NamedTensor& own) {
      // Projections of other heads have come with them.
      const bool has_come = heads != nullptr && find_part(own.name) != nullptr;
      return !has_come && overlay.find(names(own.name)) != nullptr;
    };
    const std::vector<NamedTensor> tensors = attention(layer).tensors();
    if (std::ranges::none_of(tensors, is_laid_over)) continue;
    layers_[layer].attention = attention(layer).with_tensors([&](const NamedTensor& own) {
      if (!is_laid_over(own)) return own.tensor;
      return placed(*overlay.find(names(own.name)), own, options_);
    });
  }
}

void Transformer::require_known(const WeightOverlay& overlay) const {
  std::set<std::string> known;
  for (const ModelParameter& parameter : parameters()) known.insert(parameter.name);
  for (const auto& [name, tensor] : overlay.tensors()) {
    if (known.contains(name)) continue;
    throw InputError({.what = "the model has no tensor of this name", .where = tensor_label(name)});
  }
}

std::vector<ModelParameter> Transformer::parameters() const {
  std::map<std::string, ModelParameter> found;
  for (std::size_t layer = 0; layer < layers_.size(); ++layer) {
    for (const NamedTensor& own : attention(layer).tensors()) {
      if (own.use != TensorUse::kParameter) continue;
      const std::string name = layers_[layer].names(own.name);
      found.try_emplace(name, ModelParameter{name, own.tensor, layer, own.name});
    }
  }
  for (const auto& [name, tensor] : tensors_) {
    found.try_emplace(name, ModelParameter{name, tensor.stored, std::nullopt, {}});
  }
  for (const auto& [name, tensor] : trainable_) {
    const auto own = found.find(name);
    if (own != found.end()) own->second.tensor = tensor;
  }
  std::vector<ModelParameter> parameters;
  for (auto& [name, parameter] : found) parameters.push_back(std::move(parameter));
  return parameters;
}

WeightOverlay Transformer::trainable(const std::function<bool(const ModelParameter&)>& is_trained,
                                     at::ScalarType type) const {
  WeightOverlay overlay;
  for (const ModelParameter& parameter : parameters()) {
    if (!is_trained(parameter)) continue;
    const at::Tensor& from = parameter.tensor;
    const at::Tensor copy = at::empty(from.sizes(), at::TensorOptions(from.device()).dtype(type));
    overlay.set(parameter.name, copy.copy_(from.detach()).requires_grad_(true));
  }
  return overlay;
}

WeightOverlay Transformer::overlay() const {
  WeightOverlay result;
  for (const std::size_t layer : changed_layers_) {
    result.set_heads(static_cast<int>(layer), attention(layer).fold());
  }
  for (const ModelParameter& parameter : parameters()) {
    if (overlaid_.contains(parameter.name)) result.set(parameter.name, parameter.tensor.detach());
  }
  return result;
}

void Transformer::replace_attention(std::size_t layer, std::shared_ptr<const Attention> attention) {
  layers_[layer].attention = std::move(attention);
  changed_layers_.insert(layer);
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
