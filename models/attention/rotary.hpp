#pragma once

#include <ATen/ATen.h>

#include <vector>

#include "models/architecture/model_config.hpp"
#include "models/tensors/compute.hpp"

namespace regroup::models {

/// Radians by which each pair of rows turns from one position to the next in a window of `length`
/// tokens, float32 [d_r/2], scaled as the config asks.
at::Tensor rotary_frequencies(const RotaryConfig& config, std::int64_t length = 0);

/// For heads that have `multiple` pairs of each of the config's frequencies, one after another:
/// what divides θ^(−2i/d) of pair i, d = `multiple` · d_r rows, to give the pair's own frequency,
/// float32 [d/2]. In a window of `length` tokens.
at::Tensor wide_rotary_divisors(const RotaryConfig& config, int multiple, std::int64_t length = 0);

/// Rotary position embedding (RoFormer, arXiv 2104.09864) of the first rows of a head. Tables are
/// computed once in float32 for all `positions`. Where the config's scaling depends on the length
/// of a window, it is that of a model which never saw a longer one. Immutable. Without rotary
/// dimensions it leaves everything as it is.
class Rotary {
 public:
  /// Leaves everything as it is.
  Rotary() = default;
  Rotary(const RotaryConfig& config, int positions, const ComputeOptions& options);

  /// The same embedding of heads whose rotated pairs turn with these frequencies of this one, in
  /// this order: [d_r'/2], each from 0 to d_r/2 − 1.
  Rotary with_frequencies(const std::vector<int>& frequencies) const;

  /// The same embedding of every `step`-th position of a window of `length` tokens, from `first`
  /// on, in place of positions 0, 1, ….
  Rotary at_positions(std::int64_t first, std::int64_t step, std::int64_t length) const;

  /// Turns queries or keys [batch, heads, length, d] that begin at position `offset`.
  at::Tensor apply(const at::Tensor& heads, std::int64_t offset) const;
  /// Turns [batch, heads, length, d] at positions 0, 1, … back: the inverse of `apply` at offset 0
  /// but for a factor that scaling has of its own.
  at::Tensor undo(const at::Tensor& heads) const;
  /// Rows of a head that are turned, d_r.
  std::int64_t dimensions() const {
    return frequencies_.defined() ? 2 * frequencies_.size(0) : config_.dimensions;
  }

 private:
  struct Tables {
    at::Tensor cosines;  // [positions, d_r]
    at::Tensor sines;
  };

  void make_tables();
  Tables tables(std::int64_t length) const;
  /// Those of a window that ends before position `end`.
  Tables tables_until(std::int64_t end) const;
  at::Tensor turn(const at::Tensor& heads, std::int64_t offset, double direction) const;
  /// Each row's partner in its plane, the second one of a plane negated.
  at::Tensor partners(const at::Tensor& rows) const;

  RotaryConfig config_;
  std::int64_t positions_ = 0;
  ComputeOptions options_;
  at::Tensor frequencies_;  // int64 [d_r/2]; undefined: all of the config's, in order
  Tables usual_;            // of windows up to `changes_after_`
  Tables long_;             // of longer ones; undefined where they have tables of their own each
  std::int64_t changes_after_ = 0;  // 0: all windows have the same
};

}  // namespace regroup::models
