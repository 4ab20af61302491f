#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "models/architecture/architecture_spec.hpp"
#include "models/architecture/model_config.hpp"

// The parts of a config.json that read_model_config puts together.
namespace regroup::models {

/// Reads the numbers of heads and their dimension, once `width` and `layers` are known; also those
/// of a checkpoint whose layers have their own (`num_key_value_heads_per_layer`). Throws InputError
/// for numbers that are missing, out of range or do not divide each other.
void read_heads(const nlohmann::json& config, const ArchitectureSpec& spec,
                const std::string& where, ModelConfig& out);

/// The rotary embedding of all layers, in either dialect of config.json and with the precedence
/// that transformers has between them; needs context, head_dim and sliding windows. Throws
/// InputError as read_model_config.
void read_rotary(const nlohmann::json& config, const ArchitectureSpec& spec,
                 const std::string& where, ModelConfig& out);

/// The scaling that a "rope_parameters" or "rope_scaling" object asks for; an empty object asks for
/// none. `context` is the model's longest input, which some types are scaled from. Throws
/// InputError, by name, for a type or a number that is not supported.
RotaryScaling read_rotary_scaling(const nlohmann::json& rope, const nlohmann::json& config,
                                  int dimensions, int context, const std::string& where);

/// ModelConfig::sliding_windows of a config.json. Throws InputError as read_model_config.
std::vector<int> read_sliding_windows(const nlohmann::json& config, const ArchitectureSpec& spec,
                                      int layers, const std::string& where);

/// The token id under `key`: a number, or a list of which the first counts; none where it is absent
/// or outside the vocabulary, as in the defaults that some small models' configs repeat. Throws
/// InputError for a value of another kind.
std::optional<std::int32_t> read_token_id(const nlohmann::json& config, std::string_view key,
                                          const std::string& where, int vocabulary);

/// Names of the classes 0, 1, … by "id2label"; without it those of transformers, "LABEL_0", as many
/// as "num_labels" says, else two. Throws InputError for a class without a name.
std::vector<std::string> read_labels(const nlohmann::json& config, const std::string& where);

/// The same of a classifier of texts. Throws InputError for a "problem_type" that is not one class
/// of several, also where a single label means it.
std::vector<std::string> read_text_labels(const nlohmann::json& config, const std::string& where);

/// The activation that transformers calls so ("silu", "gelu_new"); nothing for unknown names.
std::optional<Activation> activation_of(std::string_view name);

}  // namespace regroup::models
