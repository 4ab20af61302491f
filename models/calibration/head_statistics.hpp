#pragma once

#include <Eigen/Core>

#include "models/layers/layer_moments.hpp"
#include "models/pretrained/pretrained_model.hpp"

namespace regroup::models {

/// What the heads of one projection make of the data, mean over tokens, biases included.
struct HeadStatistics {
  Eigen::MatrixXd gram;    ///< E⟨Y^i, Y^j⟩ = tr(W^i C W^jᵀ), [H_kv, H_kv]
  Eigen::MatrixXd cosine;  ///< the same of unit heads; 0 beside a head of norm 0
  Eigen::VectorXd norm;    ///< root of the Gram's diagonal, [H_kv]
};

/// Statistics of one layer's keys and values, before rotation.
struct LayerHeadStatistics {
  HeadStatistics keys;
  HeadStatistics values;
  /// s_h = Σ_{j∈Q(h)} w_j C w_jᴴ of every rotary plane (METHODS §7), [H_kv, d_r/2].
  Eigen::MatrixXd query_energies;
};

/// O(H_kv · d · D²).
LayerHeadStatistics head_statistics(const PretrainedModel& model, int layer,
                                    const LayerMoments& moments);

}  // namespace regroup::models
