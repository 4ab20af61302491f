#pragma once

#include <string>

#include "models/architecture/architecture_spec.hpp"

namespace regroup::models {

/// What the queries of an attention layer look at.
enum class AttentionKind {
  kCausal,  ///< the tokens up to their own
  kFull,    ///< all tokens
  kCross,   ///< all tokens of the encoder's output
};

/// Where an attention layer stands in its model.
struct LayerPlace {
  const LayerModules& modules;
  int layer;  ///< its number among all attention layers
  int block;  ///< its number among the layers with these modules
  AttentionKind kind;
  LayerHeads heads;

  /// The name of one of its modules.
  std::string name(std::string_view LayerModules::*module) const {
    return module_name(modules.*module, block);
  }
  /// The same of a module of one expert.
  std::string expert(std::string_view LayerModules::*module, int number) const {
    return expert_name(modules.*module, block, number);
  }
  /// Whether the feed-forward block has a gate by itself.
  bool has_gate(const MlpConfig& mlp) const { return mlp.is_gated && !mlp.is_fused; }
  /// The name of the feed-forward block's first projection.
  std::string up_name(const MlpConfig& mlp) const {
    const bool is_other = !mlp.is_gated && !modules.ungated_up.empty();
    return name(is_other ? &LayerModules::ungated_up : &LayerModules::up);
  }
};

/// Layer 0 … config.layers − 1.
LayerPlace place_of(const ArchitectureSpec& spec, const ModelConfig& config, int layer);

/// What people call an attention layer of an encoder-decoder ("decoder.1.cross"); empty for all
/// other models, whose layers have a number only.
std::string layer_name(const ModelConfig& config, int layer);

}  // namespace regroup::models
