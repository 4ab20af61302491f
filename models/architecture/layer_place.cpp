#include "models/architecture/layer_place.hpp"

#include <fmt/format.h>

namespace regroup::models {

LayerPlace place_of(const ArchitectureSpec& spec, const ModelConfig& config, int layer) {
  const bool is_causal = config.kind == ModelKind::kCausal;
  const LayerHeads heads = config.heads(layer);
  if (config.encoder_layers == 0) {
    return {spec.layer, layer, layer, is_causal ? AttentionKind::kCausal : AttentionKind::kFull,
            heads};
  }
  if (layer < config.encoder_layers) return {spec.layer, layer, layer, AttentionKind::kFull, heads};
  const int of_decoder = layer - config.encoder_layers;
  if (of_decoder % 2 == 0) {
    return {spec.decoder_self, layer, of_decoder / 2, AttentionKind::kCausal, heads};
  }
  return {spec.decoder_cross, layer, of_decoder / 2, AttentionKind::kCross, heads};
}

std::string layer_name(const ModelConfig& config, int layer) {
  if (config.encoder_layers == 0) return "";
  if (layer < config.encoder_layers) return fmt::format("encoder.{}.self", layer);
  const int of_decoder = layer - config.encoder_layers;
  return fmt::format("decoder.{}.{}", of_decoder / 2, of_decoder % 2 == 0 ? "self" : "cross");
}

}  // namespace regroup::models
