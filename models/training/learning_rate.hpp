#pragma once

#include <cstdint>

#include "models/training/training_options.hpp"

namespace regroup::models {

/// The rate of step `step` of `steps`, counted from 0: it rises in equal parts to the full rate
/// within the warm-up, then falls to a tenth of it at the last step, or stays (METHODS §10).
double learning_rate(const TrainingOptions& options, std::int64_t step, std::int64_t steps);

}  // namespace regroup::models
