#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "models/architecture/model_config.hpp"

namespace regroup::models {

/// Names of a family's modules in the checkpoint, less ".weight" or ".bias"; `{}` is the layer.
struct ModuleNames {
  std::string_view embedding;
  std::string_view attention_norm;
  std::string_view query;
  std::string_view key;
  std::string_view value;
  std::string_view output;
  std::string_view mlp_norm;
  std::string_view gate;
  std::string_view up;
  std::string_view down;
  std::string_view final_norm;
  std::string_view head;
};

/// Which attention projections have biases.
enum class AttentionBias {
  kByConfig,  ///< all four where "attention_bias" is true, else none
  kInputs,    ///< queries, keys and values
};

/// Which layers see no more than the last "sliding_window" tokens.
enum class SlidingWindow {
  kNone,
  kAllLayers,  ///< wherever "sliding_window" is a number
  kByFlag,  ///< with "use_sliding_window": those of "layer_types", else from "max_window_layers" on
};

/// A model family as data: which `config.json` it answers to, how its tensors are called, and what
/// of its options is supported. Adding a family: see models/architecture/README.md.
struct ArchitectureSpec {
  std::string_view architecture;  ///< entry of "architectures" in config.json
  ModuleNames modules;
  AttentionBias attention_bias = AttentionBias::kByConfig;
  SlidingWindow sliding_window = SlidingWindow::kNone;
  std::vector<std::string_view> activations;  ///< values of "hidden_act" that are supported
  /// Fields that must be absent, null, false, 0 or an empty object for the forward pass to be
  /// right.
  std::vector<std::string_view> refused_fields;
};

/// `name` with the layer's number in place of `{}`.
std::string module_name(std::string_view name, int layer);

/// The family of a checkpoint's config.json; throws InputError naming the architecture found and
/// the supported ones. `where` names the file in messages.
const ArchitectureSpec& find_architecture(const nlohmann::json& config, const std::string& where);

/// Reads and checks config.json of a supported family, in either of the two dialects (DESIGN,
/// "Command line"). Throws InputError for a missing, ill-typed or contradictory field, and, by
/// name, for what is not supported (quantization, rope types, activations, experts).
ModelConfig read_model_config(const nlohmann::json& config, const ArchitectureSpec& spec,
                              const std::string& where);

/// A tensor that a checkpoint of this model must hold.
struct ExpectedTensor {
  std::string name;
  std::vector<std::int64_t> shape;
};

/// Every tensor of the model, biases where the config asks for them.
std::vector<ExpectedTensor> expected_tensors(const ArchitectureSpec& spec,
                                             const ModelConfig& config);

}  // namespace regroup::models
