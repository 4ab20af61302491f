#pragma once

#include "models/architecture/architecture_spec.hpp"

namespace regroup::models {

/// Llama 1 to 3: RMSNorm, rotary positions, gated SiLU MLP, grouped-query attention.
ArchitectureSpec llama_architecture();

/// Names of Llama's modules, which many later families share.
ModuleNames llama_modules();

}  // namespace regroup::models
