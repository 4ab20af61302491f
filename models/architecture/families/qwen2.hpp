#pragma once

#include "models/architecture/architecture_spec.hpp"

namespace regroup::models {

/// Qwen2 (arXiv 2407.10671): Llama with biases of queries, keys and values, and on request a
/// sliding window in its later layers.
ArchitectureSpec qwen2_architecture();

}  // namespace regroup::models
