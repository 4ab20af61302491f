#pragma once

#include <ATen/ATen.h>

#include <stop_token>
#include <vector>

#include "models/attention/rotary.hpp"
#include "models/tensors/compute.hpp"

namespace regroup::models {

/// What a query refit sees of some positions of one window, R rows: the source's attention, and
/// what the converted model has in its place.
struct QueryRefitWindow {
  Rotary rotary;         ///< of these positions
  at::Tensor attention;  ///< of the source, [1, H, R, length]
  at::Tensor missing;    ///< source minus converted scores, not scaled by 1/√d, times `attention`
  /// What is mapped to the converted queries, before rotation, [1, H, R, d].
  at::Tensor queries;
  at::Tensor keys;  ///< converted, rotated, those that each query head reads, [1, H, length, W]
  at::Tensor attended_keys;  ///< attention · keys, [1, H, R, W]
};

/// The residual that counts as solved, relative to the right-hand side, in every head. A tenth of
/// it takes two and a half times the steps and changes measured losses by 0.0001 nats at most, to
/// the worse, where the refit gains 0.007 (docs/results.md).
inline constexpr double kQueryTolerance = 0.1;

/// The change ΔM of every query head's matrix, [H, d, W] double on the CPU, for W_Q ← W_Q + ΔMᵀ W
/// with W the rows that made `queries` (METHODS §7, "query refit"): it minimises the
/// attention-weighted variance of what the scores miss, the second-order KL of the softmax, plus
/// ρ ‖ΔM‖²_F with ρ = 1e-3 of the mean diagonal. Solved to `tolerance` by preconditioned conjugate
/// gradients, whose matrix is never formed: O(H · R · length · W) a window and step, the same
/// result for any number of threads. Throws Interrupted.
at::Tensor refit_queries(const std::vector<QueryRefitWindow>& windows, const Device& device,
                         std::stop_token stop, double tolerance = kQueryTolerance);

}  // namespace regroup::models
