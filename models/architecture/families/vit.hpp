#pragma once

#include "models/architecture/architecture_spec.hpp"

namespace regroup::models {

/// ViT: an encoder of image patches.
ArchitectureSpec vit_architecture();

}  // namespace regroup::models
