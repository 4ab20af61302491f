#pragma once

#include "models/tensors/linear.hpp"
#include "models/tensors/tensors.hpp"
#include "models/tensors/weight_place.hpp"

namespace regroup::models {

/// A projection as the computation wants it; `bias` may be undefined.
inline Linear placed_linear(const at::Tensor& weight, const at::Tensor& bias,
                            const ComputeOptions& options) {
  return {place_weight(weight, options), bias.defined() ? to_compute(bias, options) : bias};
}

}  // namespace regroup::models
