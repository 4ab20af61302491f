#pragma once

#include "models/architecture/architecture_spec.hpp"

namespace regroup::models {

/// Mistral (arXiv 2310.06825): Llama with a sliding window over the attention of every layer, where
/// the config has one.
ArchitectureSpec mistral_architecture();

}  // namespace regroup::models
