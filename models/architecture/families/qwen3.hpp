#pragma once

#include "models/architecture/architecture_spec.hpp"

namespace regroup::models {

/// Qwen3: query and key norms, head_dim of its own.
ArchitectureSpec qwen3_architecture();

}  // namespace regroup::models
