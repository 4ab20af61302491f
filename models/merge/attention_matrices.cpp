#include "models/merge/attention_matrices.hpp"

#include "models/checkpoint/tensor_view.hpp"

namespace regroup::models {
namespace {

using FloatRows = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

RowMatrix read_weight(const PretrainedModel& model, std::string_view module, int layer) {
  const TensorView& view = model.tensor(module, layer);
  const std::vector<float> values = to_floats(view);
  model.checkpoint.release(view);
  return Eigen::Map<const FloatRows>(values.data(), view.shape[0], view.shape[1]).cast<double>();
}

Eigen::VectorXd read_bias(const PretrainedModel& model, std::string_view module, int layer) {
  const std::vector<float> values = to_floats(model.tensor(module, layer, ".bias"));
  return Eigen::Map<const Eigen::VectorXf>(values.data(), std::ssize(values)).cast<double>();
}

/// The projection, with its bias as last column where the model has one.
RowMatrix read_input_projection(const PretrainedModel& model, std::string_view module, int layer) {
  RowMatrix weight = read_weight(model, module, layer);
  if (!model.config.input_bias) return weight;
  RowMatrix result(weight.rows(), weight.cols() + 1);
  result.leftCols(weight.cols()) = weight;
  result.rightCols(1) = read_bias(model, module, layer);
  return result;
}

}  // namespace

AttentionMatrices read_attention_matrices(const PretrainedModel& model, int layer) {
  const ModuleNames& modules = model.spec.modules;
  AttentionMatrices matrices{.query = read_input_projection(model, modules.query, layer),
                             .key = read_input_projection(model, modules.key, layer),
                             .value = read_input_projection(model, modules.value, layer),
                             .output = read_weight(model, modules.output, layer),
                             .output_bias = {},
                             .has_input_bias = model.config.input_bias};
  if (model.config.output_bias) {
    matrices.output_bias = read_bias(model, modules.output, layer);
  }
  return matrices;
}

}  // namespace regroup::models
