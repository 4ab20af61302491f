#pragma once

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

/// The rotary embedding of heads of `head_dim` rows, in either dialect of config.json; without
/// dimensions where the family has none. Throws InputError as read_model_config.
RotaryConfig read_rotary(const nlohmann::json& config, const ArchitectureSpec& spec, int head_dim,
                         const std::string& where);

/// ModelConfig::sliding_windows of a config.json. Throws InputError as read_model_config.
std::vector<int> read_sliding_windows(const nlohmann::json& config, const ArchitectureSpec& spec,
                                      int layers, const std::string& where);

/// The activation that transformers calls so ("silu", "gelu_new"); nothing for unknown names.
std::optional<Activation> activation_of(std::string_view name);

}  // namespace regroup::models
