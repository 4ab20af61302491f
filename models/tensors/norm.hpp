#pragma once

#include <ATen/ATen.h>

namespace regroup::models {

/// Normalisation over the last dimension, in float32 whatever the input's type: LayerNorm where it
/// has a bias, else by the root mean square.
struct Norm {
  at::Tensor weight;
  at::Tensor bias;  ///< undefined: root mean square
  double epsilon = 0;

  at::Tensor operator()(const at::Tensor& x) const;
};

}  // namespace regroup::models
