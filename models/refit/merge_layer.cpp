#include "models/refit/merge_layer.hpp"

#include <cmath>

#include <Eigen/Core>

#include "models/tensors/tensors.hpp"

namespace regroup::models {
namespace {

using Eigen::Index;

/// The checkpoint's element type of each tensor of a layer.
at::Tensor to_stored(const RowMatrix& matrix, DType dtype) {
  const at::Tensor wide = at::empty({matrix.rows(), matrix.cols()}, at::kDouble);
  Eigen::Map<RowMatrix>(wide.data_ptr<double>(), matrix.rows(), matrix.cols()) = matrix;
  return wide.to(scalar_type(dtype));
}

at::Tensor to_stored_vector(const Eigen::VectorXd& vector, DType dtype) {
  return to_stored(RowMatrix(vector.transpose()), dtype).squeeze(0);
}

/// Weight and bias of a projection whose bias is the last column of `matrix`.
void store_projection(const RowMatrix& matrix, const PretrainedModel& model, int layer,
                      AttentionRole role, at::Tensor& weight, at::Tensor& bias) {
  const Index width = matrix.cols() - (model.config.input_bias ? 1 : 0);
  weight = to_stored(matrix.leftCols(width), model.weight_tensor(layer, role).dtype);
  if (!has_bias(model.config, role)) return;
  bias = to_stored_vector(matrix.rightCols(1), model.bias_tensor(layer, role).dtype);
}

/// For which scores of wide keys are scaled otherwise than those of the source.
double query_scale(const MergedMatrices& merged, const ModelConfig& config) {
  if (!merged.widths || config.attention_scale) return 1;
  return std::sqrt(static_cast<double>(merged.widths->key) / config.head_dim);
}

}  // namespace

MergedAttention rounded(const MergedMatrices& merged, const PretrainedModel& model, int layer) {
  const AttentionMatrices& from = merged.weights;
  MergedAttention result{
      {}, merged.key_map, merged.value_map, merged.widths, merged.key_frequencies};
  AttentionWeights& to = result.weights;
  const auto store = [&](const RowMatrix& matrix, AttentionRole role, at::Tensor& weight,
                         at::Tensor& bias) {
    store_projection(matrix, model, layer, role, weight, bias);
  };
  store(query_scale(merged, model.config) * from.query, AttentionRole::kQuery, to.query,
        to.query_bias);
  store(from.key, AttentionRole::kKey, to.key, to.key_bias);
  store(from.value, AttentionRole::kValue, to.value, to.value_bias);
  to.output = to_stored(from.output, model.weight_tensor(layer, AttentionRole::kOutput).dtype);
  if (from.output_bias.size() > 0) {
    to.output_bias =
        to_stored_vector(from.output_bias, model.bias_tensor(layer, AttentionRole::kOutput).dtype);
  }
  if (model.config.query_key_norm == QueryKeyNorm::kWhole) {
    to.query_norm = to_stored_vector(from.query_norm, model.dtype);
    to.key_norm = to_stored_vector(from.key_norm, model.dtype);
  }
  return result;
}

MergedAttention merge_layer(const PretrainedModel& model, int layer,
                            const search::LayerGrouping& grouping, const MergeRecipe& recipe,
                            const LayerMoments* moments) {
  const AttentionMatrices weights = read_attention_matrices(model, layer);
  const ModelConfig config = model.config.of_layer(layer);
  return rounded(merge_matrices({weights, config, moments}, grouping, recipe), model, layer);
}

}  // namespace regroup::models
