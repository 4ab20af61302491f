#pragma once

#include <ATen/ATen.h>

#include "models/architecture/model_config.hpp"

namespace regroup::models {

/// The table of sinusoidal positions (arXiv 1706.03762) as encoder-decoders have it: of each
/// position sines, then cosines; [rows, D], float32. The row of a padding token is 0.
at::Tensor sinusoid(const ModelConfig& config);

}  // namespace regroup::models
