#pragma once

#include <vector>

#include "models/checkpoint/safetensors.hpp"
#include "models/checkpoint/safetensors_writer.hpp"
#include "models/inputs/windows.hpp"
#include "models/pretrained/pretrained_model.hpp"

namespace regroup::models {

/// The tensors that hold windows in a file: `ids` of text, I32 [windows, context + 1];
/// `source_ids`, `source_lengths`, `target_ids` and `target_lengths` of pairs, I32, one pair after
/// another; `pixel_values`, F32 [images, channels, height, width], and `classes`, I32. They refer
/// to `windows`.
std::vector<PlannedTensor> planned_windows(const Windows& windows);

/// Reads them back for a model. Throws InputError for what is not windows of this model.
Windows read_windows_of(const SafetensorsFile& file, const PretrainedModel& model);

}  // namespace regroup::models
