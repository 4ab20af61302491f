#pragma once

#include <ATen/ATen.h>

#include <vector>

#include "models/calibration/activation_moments.hpp"
#include "models/text/token_windows.hpp"
#include "models/transformer/decoder.hpp"

namespace regroup::models {

/// Running sums Σ x xᵀ of the attention inputs of every layer, in double on the CPU. Not
/// thread-safe.
class MomentSums {
 public:
  MomentSums(int layers, int width);

  /// Adds the inputs of windows begin … end − 1, in one batch.
  void add(const Decoder& decoder, const TokenWindows& windows, std::size_t begin, std::size_t end);
  void add(const MomentSums& other);
  ActivationMoments mean(std::size_t tokens) const;

 private:
  std::vector<at::Tensor> sums_;  // [D, D] a layer; undefined before the first addition
  int width_;
};

}  // namespace regroup::models
