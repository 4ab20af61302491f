#pragma once

#include "models/architecture/architecture_spec.hpp"

namespace regroup::models {

/// T5: encoder and decoder with relative position biases.
ArchitectureSpec t5_architecture();

}  // namespace regroup::models
