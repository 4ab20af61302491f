#pragma once

#include <span>

#include "models/inputs/windows.hpp"
#include "models/pretrained/pretrained_model.hpp"

namespace regroup::models {

/// Throws InputError for an id outside the model's vocabulary.
void require_ids(std::span<const std::int32_t> ids, const ModelConfig& config);
/// Throws InputError for a class that the model does not know.
void require_class(std::int32_t label, const ModelConfig& config);
/// Throws InputError for an input that is empty or longer than the model's context.
void require_length(std::size_t length, const ModelConfig& config);
/// Throws InputError unless the model reads such windows.
void require_kind(WindowKind kind, const ModelConfig& config);
/// Throws InputError for a model whose outputs are not classes.
void require_classes(const ModelConfig& config);
/// Throws InputError for a model that has nothing to predict but what its source does.
void require_targets(const ModelConfig& config);
/// Throws InputError unless the input is all that the model reads and nothing else.
void require_input(const ForwardInput& input, const ModelConfig& config);
/// Kind, ids and lengths of all windows.
void require_windows(const Windows& windows, const ModelConfig& config);

/// Throws WorkError, naming the model, for a loss that is not a finite number.
void require_finite_loss(double loss, const PretrainedModel& model);

}  // namespace regroup::models
