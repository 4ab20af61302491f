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

/// A norm of queries or keys: of the same kind as the others.
Norm head_norm(ModuleReader& reader, const std::string& module) {
  return {reader.weight(module), {}, reader.config().norm_epsilon, reader.config().norm};
}

/// One for all layers, or one each where they differ.
std::vector<std::shared_ptr<const Rotary>> make_rotary(const ModelConfig& config,
                                                       const ComputeOptions& options) {
  std::vector<std::shared_ptr<const Rotary>> result;
  const int count = config.rotary_by_layer.empty() ? 1 : config.layers;
  for (int layer = 0; layer < count; ++layer) {
    result.push_back(std::make_shared<Rotary>(config.rotary_of(layer), config.context, options));
  }
  return result;
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
  const bool is_weight = part != nullptr && part->kind == PartKind::kWeight;
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
      sound_shape_{reader.config().speech.bands, reader.config().speech.frames},
      reads_patches_(reader.config().image.reads_patches),
      embedding_(reader, Embedding::Side::kInput),
      head_(reader, embedding_) {
  const ModelConfig& config = reader.config();
  const ModelModules& names = reader.model().spec.model;
  if (encoder_layers_ > 0) decoder_embedding_ = Embedding(reader, Embedding::Side::kTarget);
  rotary_ = make_rotary(config, options_);
  if (!config.alibi.slopes.empty()) alibi_ = std::make_shared<Alibi>(config.alibi, options_);
  encoder_bias_ = read_bias(reader, names.encoder_bias, /*looks_ahead=*/true);
  decoder_bias_ = read_bias(reader, names.decoder_bias, /*looks_ahead=*/false);
  for (int layer = 0; layer < config.layers; ++layer) {
    layers_.push_back(
        {.attention = make_attention(reader.model(), layer, setting(reader, layer), options_),
         .names = AttentionNames(reader.model(), layer)});
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
    embedding_ = Embedding(reader, Embedding::Side::kInput);
    if (encoder_layers_ > 0) decoder_embedding_ = Embedding(reader, Embedding::Side::kTarget);
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
                           .scales_by_width = !config.attention_scale,
                           .query_norm = {},
                           .key_norm = {},
                           .norms_all_heads = config.query_key_norm == QueryKeyNorm::kWhole,
                           .clip = config.projection_clip,
                           .cap = config.attention_cap,
                           .rotary = rotary_[static_cast<std::size_t>(layer) % rotary_.size()],
                           .bias = nullptr,
                           .alibi = alibi_};
  if (config.query_key_norm != QueryKeyNorm::kNone) {
    setting.query_norm = head_norm(reader, place.name(&LayerModules::query_norm));
    setting.key_norm = head_norm(reader, place.name(&LayerModules::key_norm));
  }
  if (place.kind == AttentionKind::kFull) setting.bias = encoder_bias_;
  if (place.kind == AttentionKind::kCausal) setting.bias = decoder_bias_;
  return setting;
}

void Transformer::read_block(ModuleReader& reader, int layer, Layer& out) {
  const LayerPlace place = reader.model().place(layer);
  const auto norm = [&](std::string_view LayerModules::*module) -> std::optional<Norm> {
    // One without weights has no name either.
    if (reader.config().norm == NormKind::kBareLayerNorm) return reader.norm("");
    return reader.norm_if_named(place.name(module));
  };
  out.attention_norm = norm(&LayerModules::attention_norm);
  out.attention_branch = read_branch(reader, place.name(&LayerModules::attention_branch_norm),
                                     place.name(&LayerModules::attention_scale));
  if (place.modules.up.empty()) return;
  if (!reader.config().shares_norm) out.mlp_norm = norm(&LayerModules::mlp_norm);
  out.mlp_branch = read_branch(reader, place.name(&LayerModules::mlp_branch_norm),
                               place.name(&LayerModules::mlp_scale));
  out.mlp = FeedForward(reader, place);
}

Transformer::Branch Transformer::read_branch(ModuleReader& reader, const std::string& norm,
                                             const std::string& scale) {
  Branch branch{reader.norm_if_named(norm), {}, reader.config().residual_scale};
  if (reader.config().scales_branches) branch.scale = reader.tensor(scale);
  return branch;
}

void Transformer::read_last_norms(ModuleReader& reader) {
  const ModelModules& names = reader.model().spec.model;
  encoder_norm_ = reader.norm_if_named(names.encoder_norm);
  if (reader.config().final_norm) final_norm_ = reader.norm(names.final_norm);
}

at::Tensor Transformer::Branch::operator()(const at::Tensor& output) const {
  at::Tensor result = norm ? (*norm)(output) : output;
  if (scale.defined()) result = result * scale;
  return factor == 1 ? result : result * factor;
}

at::Tensor Transformer::Branch::undo(const at::Tensor& change) const {
  const at::Tensor result = scale.defined() ? change / scale : change;
  return factor == 1 ? result : result / factor;
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
    if (!attention(layer).has_own_tensors()) {
      result.set_heads(static_cast<int>(layer), attention(layer).fold());
      continue;
    }
    for (const NamedTensor& own : attention(layer).tensors()) {
      result.set(layers_[layer].names(own.name), own.tensor.detach());
    }
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

std::shared_ptr<const Transformer> Transformer::with_layer_at_hand(std::size_t layer) const {
  if (!keeps_narrow(options_)) return {std::shared_ptr<const void>(), this};
  auto result = std::make_shared<Transformer>(*this);
  const at::ScalarType type = scalar_type(options_.dtype);
  Layer& at_hand = result->layers_[layer];
  at_hand.attention = at_hand.attention->in_type(type);
  if (at_hand.mlp) at_hand.mlp = at_hand.mlp->in_type(type);
  return result;
}

Stream Transformer::embed(const InputBatch& input, std::int64_t offset) const {
  Stream stream{embedding_(input, offset), {}, {}};
  if (decoder_embedding_) stream.waiting = decoder_embedding_->tokens(input.decoder_ids, 0);
  return stream;
}

AttentionInput Transformer::attention_input(std::size_t layer, const Stream& stream) const {
  const Layer& at = layers_[layer];
  const bool is_normed = order_ != ResidualOrder::kPostNorm && at.attention_norm;
  const at::Tensor own = is_normed ? (*at.attention_norm)(stream.hidden) : stream.hidden;
  return {own, at.attention->kind() == AttentionKind::kCross ? stream.memory : own};
}

at::Tensor Transformer::residual(std::size_t layer, const Stream& stream) const {
  const Layer& at = layers_[layer];
  if (order_ != ResidualOrder::kParallel) return stream.hidden;
  const std::optional<Norm>& norm = at.mlp_norm ? at.mlp_norm : at.attention_norm;
  return stream.hidden + at.mlp_branch((*at.mlp)((*norm)(stream.hidden)));
}

at::Tensor Transformer::matching_output(std::size_t layer, const Stream& stream,
                                        const Stream& source,
                                        const at::Tensor& source_output) const {
  const Branch& branch = layers_[layer].attention_branch;
  if (branch.norm) return source_output;
  return source_output + branch.undo(residual(layer, source)) -
         branch.undo(residual(layer, stream));
}

at::Tensor Transformer::after_mlp(const Layer& layer, const at::Tensor& states) const {
  if (!layer.mlp) return states;
  if (order_ == ResidualOrder::kPostNorm) {
    return (*layer.mlp_norm)(states + layer.mlp_branch((*layer.mlp)(states)));
  }
  const at::Tensor input = layer.mlp_norm ? (*layer.mlp_norm)(states) : states;
  return states + layer.mlp_branch((*layer.mlp)(input));
}

Stream Transformer::after_attention(std::size_t layer, const Stream& stream,
                                    const at::Tensor& output) const {
  const Layer& at = layers_[layer];
  Stream next = stream;
  next.hidden = residual(layer, stream) + at.attention_branch(output);
  if (order_ == ResidualOrder::kPostNorm) next.hidden = (*at.attention_norm)(next.hidden);
  if (order_ != ResidualOrder::kParallel) next.hidden = after_mlp(at, next.hidden);
  if (layer + 1 != encoder_layers_) return next;
  return {stream.waiting, {}, encoder_norm_ ? (*encoder_norm_)(next.hidden) : next.hidden};
}

at::Tensor Transformer::finish(const Stream& stream) const {
  if (!has_classes(kind_)) {
    return final_norm_ ? (*final_norm_)(stream.hidden) : stream.hidden;
  }
  const at::Tensor read = reads_patches_ ? stream.hidden : stream.hidden.slice(1, 0, 1);
  const at::Tensor states = final_norm_ ? (*final_norm_)(read) : read;
  if (!reads_patches_) return states;
  const at::Tensor patches = states.slice(1, 1).mean(1, /*keepdim=*/true);
  return at::cat({states.slice(1, 0, 1), patches}, 2);
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
