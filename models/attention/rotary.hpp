#pragma once

#include <ATen/ATen.h>

#include "models/architecture/model_config.hpp"
#include "models/tensors/compute.hpp"

namespace regroup::models {

/// Radians by which each pair of rows turns from one position to the next, float32 [d_r/2], with
/// Llama 3's scaling where the config asks for it.
at::Tensor rotary_frequencies(const RotaryConfig& config);

/// Rotary position embedding (RoFormer, arXiv 2104.09864) of the first rows of a head, in the
/// half-split layout, with Llama 3's frequency scaling where the config asks for it. Tables are
/// computed once in float32 for all `positions`. Immutable. Without rotary dimensions it leaves
/// everything as it is.
class Rotary {
 public:
  Rotary(const RotaryConfig& config, int positions, const ComputeOptions& options);

  /// Turns queries or keys [batch, heads, length, d] that begin at position `offset`.
  at::Tensor apply(const at::Tensor& heads, std::int64_t offset) const;
  /// Turns [batch, heads, length, d] at positions 0, 1, … back: the inverse of `apply` at offset 0.
  at::Tensor undo(const at::Tensor& heads) const;
  /// Rows of a head that are turned, d_r.
  std::int64_t dimensions() const { return dimensions_; }

 private:
  at::Tensor turn(const at::Tensor& heads, std::int64_t offset, double direction) const;

  std::int64_t dimensions_;
  at::Tensor cosines_;  // [positions, d_r]
  at::Tensor sines_;
};

}  // namespace regroup::models
