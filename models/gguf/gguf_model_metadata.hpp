#pragma once

#include <string>
#include <vector>

#include "models/checkpoint/gguf/gguf_metadata.hpp"
#include "models/elements/ggml_type.hpp"
#include "models/gguf/gguf_architecture.hpp"

namespace regroup::models {

/// What GGUF says of a model with these heads by layer, but for its tokenizer: `general.…`, where
/// most matrices are `stored`, and the architecture's sizes.
GgufMetadata gguf_model_metadata(const std::string& name, const ModelConfig& config,
                                 const std::vector<LayerHeads>& heads,
                                 const GgufArchitecture& architecture, GgmlType stored);

}  // namespace regroup::models
