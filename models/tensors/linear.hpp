#pragma once

#include <ATen/ATen.h>

namespace regroup::models {

/// A linear map x → x Wᵀ + b; `bias` may be undefined.
struct Linear {
  at::Tensor weight;  ///< [out, in]
  at::Tensor bias;    ///< [out]

  /// [..., length, in] → [..., length, out], where x is: a weight kept elsewhere, or in another
  /// element type, is copied for as long as it is used. In bfloat16 on a processor without products
  /// of that type they are float32's, rounded once at the end: as exact as its own, and faster.
  at::Tensor operator()(const at::Tensor& x) const;

  /// The same with the weight in an element type.
  Linear in_type(at::ScalarType type) const {
    return {weight.defined() ? weight.to(type) : weight, bias};
  }
};

}  // namespace regroup::models
