#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "models/architecture/model_config.hpp"
#include "models/architecture/module_names.hpp"

namespace regroup::models {

/// Which attention projections have biases.
enum class AttentionBias {
  kNone,
  kInputs,      ///< queries, keys and values
  kOutput,      ///< the output projection
  kAllButKeys,  ///< queries, values and the output projection
  kAll,
  kByField,        ///< all four where `ConfigFields::attention_bias` is true, else none
  kInputsByField,  ///< queries, keys and values where it is
};

/// Whether the projections of the feed-forward blocks have biases.
enum class MlpBias { kNone, kByField, kAll };

/// Which layers see no more than the last "sliding_window" tokens.
enum class SlidingWindow {
  kNone,
  kAllLayers,  ///< wherever "sliding_window" is a number
  kAllByFlag,  ///< the same with "use_sliding_window"
  kByFlag,     ///< with "use_sliding_window": those of "layer_types", else from
               ///< "max_window_layers" on
  kByPattern,  ///< those of "layer_types", else all but every n-th
               ///< (`ArchitectureSpec::full_attention_step`)
};

/// How much of a head rotary embedding turns.
enum class RotaryKind {
  kNone,
  kWhole,
  kPartial,  ///< the part that "partial_rotary_factor" or "rotary_pct" says
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
  std::string_view attention_bias = "attention_bias";  ///< a flag, of families that read one
  std::string_view mlp_bias = "mlp_bias";
};

/// The keys of `config.json` that a family's class in transformers reads. A key that stands nowhere
/// here is named in a warning.
struct ConfigKeys {
  std::string_view read;     ///< those that are used: a JSON object of the class's defaults
  std::string_view neutral;  ///< those that must say this, or nothing: a JSON object of values
  std::string_view ignored;  ///< those without effect on inference, apart by spaces
  /// Other names that the class knows a key by.
  std::vector<std::pair<std::string_view, std::string_view>> other_names;
};

/// Where a class looks for rotary settings beside the object that holds them, and what it has in
/// the place of those that its config leaves out.
struct RotaryDefaults {
  std::string_view theta_field = "rope_theta";
  std::string_view part_field = "partial_rotary_factor";
  double theta = 10000;
  double part = 1;           ///< of a head that is turned
  double sliding_theta = 0;  ///< of layers with a sliding window; 0: as all others
};

/// A part of tensor names that checkpoints also write otherwise: "LayerNorm.gamma".
struct OtherName {
  std::string_view ours;
  std::string_view theirs;
};

/// A model family as data: which `config.json` it answers to, how its tensors are called, and what
/// of its options is supported. Adding a family: see models/architecture/README.md.
struct ArchitectureSpec {
  std::string_view architecture;  ///< entry of "architectures" in config.json
  std::string_view model_type;    ///< which says the same where that is absent
  /// The class without a head, whose last hidden states are what it says: "LlamaModel".
  std::string_view base_architecture;
  /// Classes that hold the same model and more, which is not read.
  std::vector<std::string_view> other_architectures;
  std::string_view config_class;  ///< the class in transformers that reads config.json
  ModelKind kind = ModelKind::kCausal;
  /// The base model's own name, "transformer."; checkpoints of the base model alone leave it out.
  std::string_view base_prefix;
  ConfigFields fields;
  ConfigKeys keys;
  ModelModules model;
  LayerModules layer;  ///< of every layer; of an encoder-decoder those of the encoder
  LayerModules decoder_self;
  LayerModules decoder_cross;
  /// What names of tensors are called in some checkpoints.
  std::vector<OtherName> other_names;
  NormKind norm = NormKind::kLayerNorm;
  double usual_epsilon = 1e-5;  ///< of norms, where no field says it
  ResidualOrder order = ResidualOrder::kPreNorm;
  RotaryKind rotary = RotaryKind::kNone;
  RotaryDefaults rotary_defaults;
  PositionKind positions = PositionKind::kNone;
  bool gated_mlp = false;
  bool fused_mlp = false;  ///< gate and up are one tensor
  QueryKeyNorm query_key_norm = QueryKeyNorm::kNone;
  ProjectionStorage storage = ProjectionStorage::kSeparate;
  bool takes_wide_heads = false;  ///< as ModelConfig says
  bool transposed = false;        ///< weights of linear maps are stored [in, out]
  AttentionBias attention_bias = AttentionBias::kAll;
  MlpBias mlp_bias = MlpBias::kAll;
  SlidingWindow sliding_window = SlidingWindow::kNone;
  int full_attention_step = 0;                ///< n of SlidingWindow::kByPattern
  std::vector<std::string_view> activations;  ///< that are supported
  /// Why a merge cannot be exact in this family; empty: nothing hinders it.
  std::string_view merge_limit;
  /// Reads what only this family's config says, after everything else; null: there is no such
  /// thing.
  void (*read_own)(const nlohmann::json& config, const std::string& where,
                   ModelConfig& out) = nullptr;
};

/// Reads and checks the config.json of a supported family, in either of the two dialects (DESIGN,
/// "Data"), absent keys as the family's class has them. Throws InputError for an ill-typed or
/// contradictory field, and, by name, for what is not supported.
ModelConfig read_model_config(const nlohmann::json& config, const ArchitectureSpec& spec,
                              const std::string& where);

}  // namespace regroup::models
