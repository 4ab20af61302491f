#pragma once

#include <ATen/ATen.h>

#include <functional>
#include <stop_token>
#include <vector>

#include "models/refit/attended_blocks.hpp"
#include "models/refit/query_refit.hpp"
#include "models/tensors/compute.hpp"

namespace regroup::models {

/// The normal equations Σ q qᵀ ΔM H + ρ ΔM = Σ q bᵀ of a query refit, of all heads at once, as an
/// operator that never forms their matrix (METHODS §7, "query refit"). Sums over windows are the
/// same for any number of threads. Everything throws Interrupted.
class QueryEquations {
 public:
  /// `windows` must outlive them.
  QueryEquations(const std::vector<QueryRefitWindow>& windows, const Device& device,
                 std::stop_token stop);

  /// Σ q bᵀ, b of what is missing, [H, d, W] double on the CPU.
  at::Tensor right_hand_side() const;
  /// Σ q qᵀ ΔM H + ρ ΔM. O(H · R · length · W) a window.
  at::Tensor apply(const at::Tensor& matrix) const;
  /// Approximately the inverse: as if queries and keys were independent.
  at::Tensor precondition(const at::Tensor& matrix) const;

 private:
  using Task = std::function<at::Tensor(std::size_t window)>;

  at::Tensor sum_over_windows(const Task& task) const;
  /// Σ over queries of q bᵀ, b = Rᵀ Σ_i a_i (s_i − s̄) k_i, from a_i s_i of each block.
  at::Tensor pulled(std::size_t window,
                    const std::function<at::Tensor(const AttendedBlock&)>& attended_scores) const;
  /// What ridge and preconditioner need.
  void prepare();
  /// Rᵀ Cov(k) R summed over a window's queries, by some that are evenly spaced, [H, W, W].
  at::Tensor key_covariances(std::size_t window) const;

  const std::vector<QueryRefitWindow>& windows_;
  std::vector<std::vector<AttendedBlock>> blocks_;
  Device device_;
  std::stop_token stop_;
  at::Tensor ridge_;           // [H, 1, 1]
  at::Tensor query_axes_;      // eigenvectors of Σ q qᵀ, [H, d, d]
  at::Tensor query_energies_;  // its eigenvalues, [H, d, 1]
  at::Tensor key_axes_;        // eigenvectors of the mean of Rᵀ Cov(k) R, [H, W, W]
  at::Tensor key_energies_;    // its eigenvalues, [H, 1, W]
};

}  // namespace regroup::models
