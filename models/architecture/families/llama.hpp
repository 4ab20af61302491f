#pragma once

#include "models/architecture/architecture_spec.hpp"

namespace regroup::models {

/// Llama 1 to 3: RMSNorm, rotary positions, gated SiLU MLP, grouped-query attention.
ArchitectureSpec llama_architecture();

/// What Llama and the families that followed its plan have in common, under another name.
ArchitectureSpec llama_like(std::string_view architecture);

}  // namespace regroup::models
