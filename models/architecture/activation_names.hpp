#pragma once

#include <optional>
#include <string_view>

#include "models/architecture/model_config.hpp"

namespace regroup::models {

/// The activation that transformers calls so ("silu", "gelu_new"); nothing for unknown names.
std::optional<Activation> activation_of(std::string_view name);

}  // namespace regroup::models
