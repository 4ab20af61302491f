#pragma once

#include <Eigen/Core>

#include "models/layers/projection_view.hpp"

namespace regroup::models {

/// The projections of one attention layer in double. Rows of a head stand together, heads in order.
/// Where the model has biases of Q, K and V they are a last column (METHODS §0): an input then ends
/// with a 1, and `columns` is D + 1.
struct AttentionMatrices {
  RowMatrix query;              ///< [H·d, columns]
  RowMatrix key;                ///< [H_kv·d, columns]
  RowMatrix value;              ///< [H_kv·d, columns]
  RowMatrix output;             ///< [D, H·d]
  Eigen::VectorXd output_bias;  ///< [D]; empty where the model has none
  /// Weights of a norm that follows the projection: over each head, [d], or over all of them, [H·d]
  /// and [H_kv·d]; empty: none.
  Eigen::VectorXd query_norm;
  Eigen::VectorXd key_norm;
  bool has_input_bias = false;

  Eigen::Index columns() const { return query.cols(); }
};

/// Reads the source projections of one layer. Throws as `ProjectionView::read`.
AttentionMatrices read_attention_matrices(const PretrainedModel& model, int layer);

}  // namespace regroup::models
