#pragma once

#include <span>

#include "models/passes/token_losses.hpp"

namespace regroup::models {

/// How many outputs the model finds more likely than the right one, for every scored position of
/// one batch from its `batch_states`; of two that are as likely the first counts as more so. Needs
/// targets.
std::vector<int> batch_target_ranks(const Transformer& model, const at::Tensor& states,
                                    const Windows& windows, WindowRange range);

}  // namespace regroup::models
