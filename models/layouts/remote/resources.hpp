#pragma once

#include <string_view>

namespace regroup::models {

// Python for checkpoints with heads by layer, embedded at build time by cmake/EmbedResources.cmake;
// FAMILY stands for the name of the source's family in transformers.
extern const std::string_view kConfigurationCode;  ///< remote/configuration_regrouped.py
extern const std::string_view kModelingCode;       ///< remote/modeling_regrouped.py

}  // namespace regroup::models
