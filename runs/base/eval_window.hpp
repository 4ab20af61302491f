#pragma once

#include "models/architecture/model_config.hpp"

namespace regroup::runs {

/// Longest window that is taken without being asked for, tokens.
inline constexpr int kLongestDefaultWindow = 2048;

/// The window of an evaluation: `asked` tokens, or the model's context up to kLongestDefaultWindow
/// if `asked` is 0. Throws InputError for a window that the model cannot take.
int eval_window(const models::ModelConfig& config, int asked);

}  // namespace regroup::runs
