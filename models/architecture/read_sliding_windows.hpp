#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "models/architecture/architecture_spec.hpp"

namespace regroup::models {

/// ModelConfig::sliding_windows of a config.json. Throws InputError as read_model_config.
std::vector<int> read_sliding_windows(const nlohmann::json& config, const ArchitectureSpec& spec,
                                      int layers, const std::string& where);

}  // namespace regroup::models
