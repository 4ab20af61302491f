#include "models/transformer/decoder.hpp"

#include "models/checkpoint/finite_scan.hpp"
#include "models/transformer/tensors.hpp"

namespace regroup::models {
namespace {

/// Reads modules of one checkpoint for one computation.
class ModuleReader {
 public:
  ModuleReader(const PretrainedModel& model, const ComputeOptions& options)
      : model_(model), options_(options) {}

  at::Tensor weight(std::string_view module, int layer = 0) const {
    return read(model_.tensor(module, layer));
  }
  Linear linear(std::string_view module, int layer, bool has_bias) const {
    Linear result{weight(module, layer), {}};
    if (has_bias) result.bias = read(model_.tensor(module, layer, ".bias"));
    return result;
  }
  RmsNorm norm(std::string_view module, int layer = 0) const {
    return {weight(module, layer), model_.config.norm_epsilon};
  }

 private:
  at::Tensor read(const TensorView& view) const {
    require_finite(view);
    at::Tensor tensor = to_compute(to_tensor(view), options_);
    model_.checkpoint.release(view);
    return tensor;
  }

  const PretrainedModel& model_;
  const ComputeOptions& options_;
};

/// The layer as the source has it: r query heads read each KV head.
MergedAttention source_attention(const PretrainedModel& model, int layer) {
  const search::Partition alone = search::Partition::singletons(model.config.kv_heads);
  return merge_layer(model, layer, {alone, alone}, find_merge("mean"));
}

}  // namespace

Decoder::Decoder(const PretrainedModel& model, const ComputeOptions& options) : options_(options) {
  require_finite_attention(model);
  const ModuleReader reader(model, options);
  const ModuleNames& modules = model.spec.modules;
  const ModelConfig& config = model.config;
  embedding_ = reader.weight(modules.embedding);
  for (int layer = 0; layer < config.layers; ++layer) {
    layers_.push_back({reader.norm(modules.attention_norm, layer),
                       std::make_shared<Attention>(source_attention(model, layer), config, options),
                       reader.norm(modules.mlp_norm, layer),
                       {reader.linear(modules.gate, layer, config.mlp_bias),
                        reader.linear(modules.up, layer, config.mlp_bias),
                        reader.linear(modules.down, layer, config.mlp_bias)}});
  }
  final_norm_ = reader.norm(modules.final_norm);
  head_ = config.tied_embeddings ? embedding_ : reader.weight(modules.head);
  rotary_ = std::make_shared<Rotary>(config.rotary, config.head_dim, config.context, options);
}

Decoder Decoder::grouped(const PretrainedModel& model, const search::Grouping& grouping,
                         const MergeOperator& merge) const {
  Decoder result = *this;
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    if (grouping.layers[i].is_source()) continue;
    result.layers_[i].attention = std::make_shared<Attention>(
        merge_layer(model, static_cast<int>(i), grouping.layers[i], merge), model.config, options_);
  }
  return result;
}

at::Tensor Decoder::hidden_states(const at::Tensor& ids, KvCache* cache,
                                  const AttentionInputObserver& observe) const {
  const std::int64_t offset = cache != nullptr ? cache->length : 0;
  if (cache != nullptr) cache->layers.resize(layers_.size());
  at::Tensor x = at::embedding(embedding_, ids);
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const Layer& layer = layers_[i];
    LayerCache* layer_cache = cache != nullptr ? &cache->layers[i] : nullptr;
    const at::Tensor input = layer.attention_norm(x);
    if (observe) observe(i, input);
    x = x + (*layer.attention)(input, *rotary_, offset, layer_cache);
    x = x + layer.mlp(layer.mlp_norm(x));
  }
  if (cache != nullptr) cache->length += ids.size(1);
  return final_norm_(x);
}

at::Tensor Decoder::logits(const at::Tensor& hidden) const {
  return at::linear(hidden, head_).to(at::kFloat);
}

}  // namespace regroup::models
