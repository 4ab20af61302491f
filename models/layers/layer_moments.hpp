#pragma once

#include <Eigen/Core>
#include <optional>

namespace regroup::models {

/// What one backward pass through the source model says of a layer: g is the gradient of the loss,
/// summed over a window, with labels drawn from the model's own distribution (METHODS §7, "fisher
/// price").
struct LayerGradients {
  /// Γ = Σ g gᵀ at the attention block's output over all its tokens, for each scored position of
  /// the windows, [D, D]. Where a layer's tokens are the scored ones, as in a decoder, that is E[g
  /// gᵀ].
  Eigen::MatrixXd output;
  /// Ω: Σ over query tokens and keys of (∂L/∂logit)² for each scored position, logits as the
  /// softmax gets them; [H]
  Eigen::VectorXd logits;
  Eigen::VectorXd keys;  ///< mean over windows of ‖∂L/∂W_K^h‖²_F, biases included, [H_kv]
  Eigen::VectorXd values;  ///< the same of W_V^h, [H_kv]
};

/// First and second moments of what passes through one attention layer of the source model, over
/// the tokens of some text. x is the input of the projections, after the block's norm; z_j = Σ_i
/// a_i x_i that input averaged by the attention of query head j.
struct LayerMoments {
  Eigen::MatrixXd input;          ///< C = E[x xᵀ], [D, D]; of keys and values in cross-attention
  Eigen::VectorXd input_mean;     ///< μ = E x, [D]
  Eigen::MatrixXd attended;       ///< E Σ_i a_i x_i x_iᵀ, mean over query heads, [D, D]
  Eigen::MatrixXd averaged;       ///< C̃ = E[z_j z_jᵀ], mean over query heads, [D, D]
  Eigen::MatrixXd averaged_mean;  ///< E z_j, a row per query head, [H, D]
  /// The same as `input` of what queries read in cross-attention; empty in all other layers.
  Eigen::MatrixXd query_input;
  Eigen::VectorXd query_input_mean;
  std::optional<LayerGradients> gradients;
};

}  // namespace regroup::models
