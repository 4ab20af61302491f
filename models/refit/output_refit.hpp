#pragma once

#include <ATen/ATen.h>

#include <Eigen/Core>
#include <array>

#include "models/layers/attention_matrices.hpp"
#include "models/passes/window_pass.hpp"

namespace regroup::models {

/// An output projection and its bias (empty where there is none).
struct OutputProjection {
  RowMatrix weight;
  Eigen::VectorXd bias;
};

/// Ridge regression of a layer's output projection (METHODS §7, "output refit"): a [Hd] is what it
/// receives, t [D] what the block would have to give for the residual stream to be the source's.
class OutputRefit {
 public:
  /// Adds the tokens of one window: received [length, Hd], wanted [length, D]. Windows of one share
  /// come one at a time.
  void add(std::size_t share, const at::Tensor& received, const at::Tensor& wanted);

  /// argmin E‖W a + b − t‖² + ρ‖W − W_0‖²_F with ρ = 1e-3 tr A/(Hd), b only where `merged` has one;
  /// W_0 where a is constant. O((Hd)³).
  OutputProjection solve(const OutputProjection& merged) const;

 private:
  struct Sums {
    at::Tensor moment;    // Σ a aᵀ
    at::Tensor cross;     // Σ t aᵀ
    at::Tensor received;  // Σ a
    at::Tensor wanted;    // Σ t
    double tokens = 0;
  };
  std::array<Sums, kWindowShares> shares_;
};

}  // namespace regroup::models
