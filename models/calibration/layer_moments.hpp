#pragma once

#include <Eigen/Core>
#include <optional>

namespace regroup::models {

/// What one backward pass through the source model says of a layer: g is the gradient of the loss,
/// summed over a window, with labels drawn from the model's own distribution (METHODS §7, "fisher
/// price").
struct LayerGradients {
  Eigen::MatrixXd output;  ///< Γ = E[g gᵀ] at the attention block's output, [D, D]
  /// Ω: mean over query tokens of Σ_keys (∂L/∂logit)², logits scaled by 1/√d; [H]
  Eigen::VectorXd logits;
  Eigen::VectorXd keys;  ///< mean over windows of ‖∂L/∂W_K^h‖²_F, biases included, [H_kv]
  Eigen::VectorXd values;  ///< the same of W_V^h, [H_kv]
};

/// First and second moments of what passes through one attention layer of the source model, over
/// the tokens of some text. x is the input of the projections, after the block's norm; z_j = Σ_i
/// a_i x_i that input averaged by the attention of query head j.
struct LayerMoments {
  Eigen::MatrixXd input;          ///< C = E[x xᵀ], [D, D]
  Eigen::VectorXd input_mean;     ///< μ = E x, [D]
  Eigen::MatrixXd attended;       ///< E Σ_i a_i x_i x_iᵀ, mean over query heads, [D, D]
  Eigen::MatrixXd averaged;       ///< C̃ = E[z_j z_jᵀ], mean over query heads, [D, D]
  Eigen::MatrixXd averaged_mean;  ///< E z_j, a row per query head, [H, D]
  std::optional<LayerGradients> gradients;
};

}  // namespace regroup::models
