#include "models/gguf/gguf_model_metadata.hpp"

#include <string>
#include <utility>

#include "models/layouts/layout.hpp"

namespace regroup::models {
namespace {

/// Of the quantized types' layout: ggml's GGML_QNT_VERSION.
constexpr std::uint32_t kQuantizationVersion = 2;

GgufValue count(int value) {
  return static_cast<std::uint32_t>(value);
}

/// One number, or one for every layer where the architecture reads that.
GgufValue head_count(const std::vector<LayerHeads>& heads, const GgufArchitecture& architecture,
                     int LayerHeads::*number) {
  if (!architecture.heads_by_layer) return count(heads[0].*number);
  std::vector<std::int32_t> by_layer;
  for (const LayerHeads& layer : heads) by_layer.push_back(layer.*number);
  return by_layer;
}

}  // namespace

GgufMetadata gguf_model_metadata(const std::string& name, const ModelConfig& config,
                                 const std::vector<LayerHeads>& heads,
                                 const GgufArchitecture& architecture, GgmlType stored) {
  GgufMetadata metadata = {{"general.architecture", std::string(architecture.name)},
                           {"general.type", std::string("model")},
                           {"general.name", name},
                           {"general.file_type", file_type(stored)}};
  if (is_block_type(stored)) {
    metadata.push_back({"general.quantization_version", kQuantizationVersion});
  }
  const auto add = [&](std::string_view key, GgufValue value) {
    metadata.push_back({std::string(architecture.name) + "." + std::string(key), std::move(value)});
  };
  add("vocab_size", count(config.vocabulary));
  add("context_length", count(config.context));
  add("embedding_length", count(config.width));
  add("block_count", count(config.layers));
  add("feed_forward_length", count(config.mlp.width));
  add("attention.head_count", head_count(heads, architecture, &LayerHeads::query));
  add("attention.head_count_kv", head_count(heads, architecture, &LayerHeads::kv));
  add("attention.key_length", count(heads[0].key_width));
  add("attention.value_length", count(heads[0].value_width));
  add("attention.layer_norm_rms_epsilon", static_cast<float>(config.norm_epsilon));
  add("rope.dimension_count",
      count(heads[0].key_width / config.head_dim * config.rotary.dimensions));
  add("rope.freq_base", static_cast<float>(config.rotary.theta));
  return metadata;
}

}  // namespace regroup::models
