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

}  // namespace

Decoder::Decoder(const PretrainedModel& model, const ComputeOptions& options) : options_(options) {
  require_finite_attention(model);
  const ModuleReader reader(model, options);
  const ModuleNames& modules = model.spec.modules;
  const ModelConfig& config = model.config;
  embedding_ = reader.weight(modules.embedding);
  for (int layer = 0; layer < config.layers; ++layer) {
    layers_.push_back({reader.norm(modules.attention_norm, layer),
                       std::make_shared<Attention>(
                           source_attention(model, layer), config,
                           config.sliding_window(static_cast<std::size_t>(layer)), options),
                       reader.norm(modules.mlp_norm, layer),
                       {reader.linear(modules.gate, layer, config.mlp_bias),
                        reader.linear(modules.up, layer, config.mlp_bias),
                        reader.linear(modules.down, layer, config.mlp_bias)}});
  }
  final_norm_ = reader.norm(modules.final_norm);
  head_ = config.tied_embeddings ? embedding_ : reader.weight(modules.head);
  rotary_ = std::make_shared<Rotary>(config.rotary, config.head_dim, config.context, options);
}

void Decoder::replace_attention(std::size_t layer, const MergedAttention& attention,
                                const ModelConfig& config) {
  layers_[layer].attention =
      std::make_shared<Attention>(attention, config, config.sliding_window(layer), options_);
}

at::Tensor Decoder::after_attention(std::size_t layer, const at::Tensor& states,
                                    const at::Tensor& output) const {
  const at::Tensor middle = states + output;
  return middle + layers_[layer].mlp(layers_[layer].mlp_norm(middle));
}

at::Tensor Decoder::hidden_states(const at::Tensor& ids, KvCache* cache,
                                  const AttentionInputObserver& observe) const {
  const std::int64_t offset = cache != nullptr ? cache->length : 0;
  if (cache != nullptr) cache->layers.resize(layers_.size());
  at::Tensor x = embed(ids);
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const Layer& layer = layers_[i];
    LayerCache* layer_cache = cache != nullptr ? &cache->layers[i] : nullptr;
    const at::Tensor input = layer.attention_norm(x);
    if (observe) observe(i, input);
    x = after_attention(i, x, (*layer.attention)(input, *rotary_, offset, layer_cache));
  }
  if (cache != nullptr) cache->length += ids.size(1);
  return final_norm_(x);
}

at::Tensor Decoder::logits(const at::Tensor& hidden) const {
  return at::linear(hidden, head_).to(at::kFloat);
}

}  // namespace regroup::models
