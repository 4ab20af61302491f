#pragma once

#include <span>

#include "models/pretrained_model.hpp"
#include "models/text/token_windows.hpp"

namespace regroup::models {

/// Throws InputError for an id outside the model's vocabulary.
void require_ids(std::span<const std::int32_t> ids, const ModelConfig& config);
/// Throws InputError for an input that is empty or longer than the model's context.
void require_length(std::size_t length, const ModelConfig& config);
/// Both, for windows.
void require_windows(const TokenWindows& windows, const ModelConfig& config);

/// Throws WorkError, naming the model, for a loss that is not a finite number.
void require_finite_loss(double loss, const PretrainedModel& model);

}  // namespace regroup::models
