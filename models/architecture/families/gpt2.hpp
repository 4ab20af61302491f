#pragma once

#include "models/architecture/architecture_spec.hpp"

namespace regroup::models {

/// GPT-2: fused projections stored [in, out], learned positions.
ArchitectureSpec gpt2_architecture();

}  // namespace regroup::models
