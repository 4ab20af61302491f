#pragma once

#include <Eigen/Core>
#include <optional>
#include <span>
#include <vector>

#include "models/layers/attention_matrices.hpp"
#include "models/layers/head_layout.hpp"
#include "models/layers/layer_moments.hpp"
#include "models/merge/product_block.hpp"

namespace regroup::models {

/// Inner products of the rows of all KV heads of one projection under a moment of its input.
struct HeadProducts {
  std::vector<Eigen::MatrixXcd> planes;  ///< u_i C u_jᴴ for each plane, [H_kv, H_kv]
  ProductBlock block;                    ///< W C Wᵀ, [H_kv·b, H_kv·b]

  /// ‖W^h‖²_C of every head, [H_kv].
  Eigen::VectorXd squared_norms(int heads) const;
};

/// How much an error of each KV head weighs, by what reads it.
struct HeadWeights {
  std::vector<Eigen::VectorXd> planes;  ///< s_h for each plane, [H_kv], ≥ 0
  std::vector<Eigen::MatrixXd> block;   ///< P_h for each head, [b, b], positive semidefinite
};

/// The moments under which heads are compared.
enum class MergeMetric {
  kInput,      ///< C, the second moment of the layer's input
  kAttention,  ///< keys in rotary planes: the attended moment; other keys: C about its mean;
               ///< values: the moment of the averaged input, about its mean if the output has a
               ///< bias
};

/// Heads of a projection that a norm follows, before that norm, in the input's second moment C.
struct NormedHeads {
  Eigen::VectorXd norms;  ///< ‖W^h‖_C
  Eigen::MatrixXd gram;   ///< tr W^i C W^jᵀ
};

/// Everything that merging the heads of one projection of one layer depends on. Parts that an
/// operator does not ask for may be empty.
struct MergeProblem {
  int heads = 0;  ///< H_kv
  HeadLayout layout;
  HeadProducts products;            ///< in the metric in which the operator works
  HeadWeights weights;              ///< query energies, or what W_O makes of a value
  Eigen::MatrixXd weight_products;  ///< ⟨vec W^i, vec W^j⟩, [H_kv, H_kv]
  Eigen::VectorXd gradients;        ///< LayerGradients::keys or ::values
  /// Where a norm of each head follows; products and weights are then those of the heads behind it,
  /// √d γ ⊙ W/‖W‖_C.
  std::optional<NormedHeads> normed;

  /// ‖W^h‖²_C of every head, before any norm, [H_kv].
  Eigen::VectorXd squared_norms() const;
};

/// Which of a layer's two merged projections.
enum class Projection { kKeys, kValues };

/// The layer that problems are made of.
struct MergeSource {
  const AttentionMatrices& weights;
  const ModelConfig& config;
  const LayerMoments* moments;  ///< null where nothing was calibrated
};

/// O(H_kv · d · columns²). Needs moments.
HeadProducts head_products(const MergeSource& source, Projection projection, MergeMetric metric);

/// Query energies s_h = Σ_{j∈Q(h)} w_j C w_jᴴ of every plane and P_h = Σ_j W_Q^j C W_Q^jᵀ of keys;
/// P_h = Σ_j W_O^jᵀ W_O^j of values (METHODS §7). Keys need moments.
HeadWeights head_weights(const MergeSource& source, Projection projection);

/// The same in nats per token: the second-order price of an error (METHODS §7, "fisher price"). The
/// sensitivity of each query head weighs its own energy. Needs moments with gradients.
HeadWeights fisher_weights(const MergeSource& source, Projection projection);

/// The problem with everything that the layer's moments allow.
MergeProblem merge_problem(const MergeSource& source, Projection projection, MergeMetric metric);

/// ⟨vec W^i, vec W^j⟩ of all KV heads of a projection, biases included.
Eigen::MatrixXd weight_products(const RowMatrix& projection, int heads);

}  // namespace regroup::models
