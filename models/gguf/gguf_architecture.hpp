#pragma once

#include <array>
#include <span>
#include <string_view>
#include <vector>

#include "models/architecture/model_config.hpp"

namespace regroup::models {

/// A transformer of llama.cpp as data: which families it computes, and what of them it can hold
/// (llama.cpp, `src/models/`). All of them are pre-norm with RMSNorm and a gated feed-forward
/// block, and see the whole text before a token.
struct GgufArchitecture {
  std::string_view name;                     ///< `general.architecture`
  std::array<std::string_view, 3> families;  ///< entries of config.json's "architectures"
  bool heads_by_layer = false;               ///< layers have their own numbers of heads
  bool query_key_norm = false;               ///< queries and keys of every head are normed
  bool input_bias = true;                    ///< of queries, keys and values, where there are any
  bool output_bias = false;                  ///< of the attention's output, likewise
  bool mlp_bias = false;                     ///< likewise
  bool scaled_rotary = false;                ///< reads factors of the rotary frequencies
  bool wide_heads = true;                    ///< all query heads together may be unlike D
  bool own_head = true;                      ///< the head need not share the token table
  bool fused = false;                        ///< queries, keys and values are one tensor
  RotaryLayout rotary = RotaryLayout::kHalfSplit;
};

/// The first architecture that computes a model of these heads by layer exactly. Throws InputError
/// that says what is in the way, or which families have one.
const GgufArchitecture& gguf_architecture(const ModelConfig& config,
                                          const std::vector<LayerHeads>& heads);

}  // namespace regroup::models
