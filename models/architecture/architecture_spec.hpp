#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "models/architecture/model_config.hpp"
#include "models/architecture/module_names.hpp"

namespace regroup::models {

/// Which attention projections have biases.
enum class AttentionBias {
  kNone,
  kByConfig,  ///< all four where "attention_bias" is true, else none
  kInputs,    ///< queries, keys and values
  kAll,
};

/// Whether the projections of the feed-forward blocks have biases.
enum class MlpBias { kNone, kByConfig, kAll };

/// Which layers see no more than the last "sliding_window" tokens.
enum class SlidingWindow {
  kNone,
  kAllLayers,  ///< wherever "sliding_window" is a number
  kByFlag,  ///< with "use_sliding_window": those of "layer_types", else from "max_window_layers" on
};

/// How much of a head rotary embedding turns.
enum class RotaryKind {
  kNone,
  kWhole,
  kPartial,  ///< the part that "partial_rotary_factor" or "rotary_pct" says
};

/// How the query, key and value projections are stored.
enum class ProjectionStorage {
  kSeparate,  ///< a tensor each
  kFused,     ///< one tensor: all queries, all keys, all values; `LayerModules::query` names it
  kByHead,    ///< one tensor: queries, keys and values of the first head, of the second, …
};

/// How the fields of `config.json` are called. Empty: there is no such field.
struct ConfigFields {
  std::string_view layers = "num_hidden_layers";
  std::string_view width = "hidden_size";
  std::string_view query_heads = "num_attention_heads";
  std::string_view kv_heads;  ///< empty: as many as query heads, and none can be stored fewer
  std::string_view head_dim;  ///< empty: width / query heads
  std::string_view mlp_width = "intermediate_size";
  std::string_view context = "max_position_embeddings";
  std::string_view norm_epsilon = "layer_norm_eps";
  std::string_view activation = "hidden_act";
};

/// A model family as data: which `config.json` it answers to, how its tensors are called, and what
/// of its options is supported. Adding a family: see models/architecture/README.md.
struct ArchitectureSpec {
  std::string_view architecture;  ///< entry of "architectures" in config.json
  ModelKind kind = ModelKind::kCausal;
  /// The base model's own name, "transformer."; checkpoints of the base model alone leave it out.
  std::string_view base_prefix;
  ConfigFields fields;
  ModelModules model;
  LayerModules layer;  ///< of every layer; of an encoder-decoder those of the encoder
  LayerModules decoder_self;
  LayerModules decoder_cross;
  NormKind norm = NormKind::kLayerNorm;
  ResidualOrder order = ResidualOrder::kPreNorm;
  RotaryKind rotary = RotaryKind::kNone;
  bool gated_mlp = false;
  bool query_key_norm = false;
  int usual_head_dim = 0;  ///< where "head_dim" is absent; 0: width / query heads
  ProjectionStorage storage = ProjectionStorage::kSeparate;
  bool transposed = false;  ///< weights of linear maps are stored [in, out]
  AttentionBias attention_bias = AttentionBias::kAll;
  MlpBias mlp_bias = MlpBias::kAll;
  SlidingWindow sliding_window = SlidingWindow::kNone;
  bool tied_by_default = true;                ///< where "tie_word_embeddings" is absent
  std::vector<std::string_view> activations;  ///< that are supported
  /// Fields that must be absent, null, false, 0 or an empty object for the forward pass to be
  /// right.
  std::vector<std::string_view> refused_fields;
  /// Reads what only this family's config says, after everything else; null: there is no such
  /// thing.
  void (*read_own)(const nlohmann::json& config, const std::string& where,
                   ModelConfig& out) = nullptr;
};

/// Reads and checks config.json of a supported family, in either of the two dialects (DESIGN,
/// "Data"). Throws InputError for a missing, ill-typed or contradictory field, and, by
/// name, for what is not supported (quantization, rope types, activations, experts).
ModelConfig read_model_config(const nlohmann::json& config, const ArchitectureSpec& spec,
                              const std::string& where);

}  // namespace regroup::models
