#pragma once

#include "models/architecture/architecture_spec.hpp"

namespace regroup::models {

/// GPT-NeoX and Pythia: projections fused head by head, partial rotary embedding, parallel
/// residual.
ArchitectureSpec gpt_neox_architecture();

}  // namespace regroup::models
