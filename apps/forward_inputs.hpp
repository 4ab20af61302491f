#pragma once

#include <vector>

#include "models/architecture/model_config.hpp"
#include "models/checkpoint/safetensors.hpp"
#include "models/inputs/windows.hpp"

namespace regroup::apps {

/// The inputs of a batch that a file holds, one for each row of its tensors, which are named as in
/// transformers: `input_ids` and `decoder_input_ids`, I64 or I32 [sequences, tokens], or
/// `pixel_values`, [images, channels, height, width]. Throws InputError for tensors that the model
/// does not take, and for one that is missing.
std::vector<models::ForwardInput> read_forward_inputs(const models::SafetensorsFile& file,
                                                      const models::ModelConfig& config);

}  // namespace regroup::apps
