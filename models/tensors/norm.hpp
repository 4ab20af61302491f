#pragma once

#include <ATen/ATen.h>

#include "models/architecture/model_config.hpp"

namespace regroup::models {

/// Normalisation over the last dimension, in float32 whatever the input's type.
struct Norm {
  at::Tensor weight;  ///< undefined where its kind has none
  at::Tensor bias;    ///< likewise
  double epsilon = 0;
  NormKind kind = NormKind::kRootMeanSquare;

  at::Tensor operator()(const at::Tensor& x) const;
};

/// x · 1/√(mean of squares + epsilon), times a weight, or a weight and 1.
at::Tensor root_mean_square_norm(const at::Tensor& x, const at::Tensor& mean_of_squares,
                                 const Norm& norm);

}  // namespace regroup::models
