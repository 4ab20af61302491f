#pragma once

#include <ATen/ATen.h>

namespace regroup::models {

/// A linear map x → x Wᵀ + b; `bias` may be undefined.
struct Linear {
  at::Tensor weight;  ///< [out, in]
  at::Tensor bias;    ///< [out]

  at::Tensor operator()(const at::Tensor& x) const { return at::linear(x, weight, bias); }
};

}  // namespace regroup::models
