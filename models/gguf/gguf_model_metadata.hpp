#pragma once

#include <optional>
#include <vector>

#include "models/gguf/ggml_type.hpp"
#include "models/gguf/gguf_architecture.hpp"
#include "models/gguf/gguf_metadata.hpp"
#include "models/pretrained/pretrained_model.hpp"

namespace regroup::models {

/// What GGUF says of a model with these heads by layer, but for its tokenizer: `general.…` and the
/// architecture's sizes.
GgufMetadata gguf_model_metadata(const PretrainedModel& model, const std::vector<LayerHeads>& heads,
                                 const GgufArchitecture& architecture,
                                 std::optional<GgmlType> type);

}  // namespace regroup::models
