#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "models/architecture/architecture_spec.hpp"

namespace regroup::models {

/// The rotary embedding of heads of `head_dim` rows, in either dialect of config.json; without
/// dimensions where the family has none. Throws InputError as read_model_config.
RotaryConfig read_rotary(const nlohmann::json& config, const ArchitectureSpec& spec, int head_dim,
                         const std::string& where);

}  // namespace regroup::models
