#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "models/architecture/architecture_spec.hpp"

namespace regroup::models {

/// Reads the numbers of heads and their dimension, once `width` and `layers` are known; also those
/// of a checkpoint whose layers have their own (`num_key_value_heads_per_layer`). Throws InputError
/// for numbers that are missing, out of range or do not divide each other.
void read_heads(const nlohmann::json& config, const ArchitectureSpec& spec,
                const std::string& where, ModelConfig& out);

}  // namespace regroup::models
