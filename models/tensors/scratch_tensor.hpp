#pragma once

#include <ATen/ATen.h>

#include "models/tensors/compute.hpp"

namespace regroup::models {

/// The tensor where a computation keeps what is large and lives long: with a scratch, a contiguous
/// copy in it, unless it lies there already; else, and where it is small, on a GPU or records
/// gradients, the tensor itself. Throws WorkError where the disk is full.
at::Tensor settled(const at::Tensor& tensor, const ComputeOptions& options);

}  // namespace regroup::models
