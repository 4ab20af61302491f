#pragma once

#include <string_view>

namespace regroup::models {

// Python for checkpoints with heads by layer, embedded at build time by cmake/EmbedResources.cmake;
// SOURCE_CONFIG and SOURCE_MODEL stand for the source's classes in transformers, REGROUPED_MODEL
// for the one that is derived from them.
extern const std::string_view kConfigurationCode;  ///< remote/configuration_regrouped.py
extern const std::string_view kModelingCode;       ///< remote/modeling_regrouped.py
// Of models whose heads are mixtures of keys.
extern const std::string_view kMixtureConfiguration;  ///< remote/configuration_mixture.py
extern const std::string_view kMixtureModeling;       ///< remote/modeling_mixture.py

}  // namespace regroup::models
