#pragma once

#include "models/architecture/architecture_spec.hpp"

namespace regroup::models {

/// BERT: an encoder with post-norm.
ArchitectureSpec bert_architecture();

}  // namespace regroup::models
