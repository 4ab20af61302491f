#pragma once

#include "models/architecture/architecture_spec.hpp"

namespace regroup::models {

/// OPT: learned positions with an offset.
ArchitectureSpec opt_architecture();

}  // namespace regroup::models
