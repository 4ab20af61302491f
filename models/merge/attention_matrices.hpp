#pragma once

#include <Eigen/Core>
#include <vector>

#include "models/pretrained_model.hpp"

namespace regroup::models {

/// A matrix in the order of a checkpoint's tensors.
using RowMatrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// The projections of one attention layer in double. Rows of a head stand together, heads in order.
/// Where the model has biases of Q, K and V they are a last column (METHODS §0): an input then ends
/// with a 1, and `columns` is D + 1.
struct AttentionMatrices {
  RowMatrix query;              ///< [H·d, columns]
  RowMatrix key;                ///< [H_kv·d, columns]
  RowMatrix value;              ///< [H_kv·d, columns]
  RowMatrix output;             ///< [D, H·d]
  Eigen::VectorXd output_bias;  ///< [D]; empty where the model has none
  bool has_input_bias = false;

  Eigen::Index columns() const { return query.cols(); }
};

/// Reads the source projections of one layer. Throws as `TensorView` conversions do.
AttentionMatrices read_attention_matrices(const PretrainedModel& model, int layer);

}  // namespace regroup::models
