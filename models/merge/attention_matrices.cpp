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

/// Empty where the model has none.
Eigen::VectorXd read_bias(const PretrainedModel& model, std::string_view module, int layer) {
  const TensorView* view =
      model.config.attention_bias ? model.find(module, layer, ".bias") : nullptr;
  if (view == nullptr) return {};
  const std::vector<float> values = to_floats(*view);
  return Eigen::Map<const Eigen::VectorXf>(values.data(), std::ssize(values)).cast<double>();
}

/// The projection, with its bias (0 if it alone lacks one) as last column where `has_bias`.
RowMatrix with_bias(RowMatrix weight, const Eigen::VectorXd& bias, bool has_bias) {
  if (!has_bias) return weight;
  RowMatrix result(weight.rows(), weight.cols() + 1);
  result.leftCols(weight.cols()) = weight;
  result.rightCols(1).setZero();
  if (bias.size() > 0) result.rightCols(1) = bias;
  return result;
}

}  // namespace

AttentionMatrices read_attention_matrices(const PretrainedModel& model, int layer) {
  const ModuleNames& modules = model.spec.modules;
  const Eigen::VectorXd query_bias = read_bias(model, modules.query, layer);
  const Eigen::VectorXd key_bias = read_bias(model, modules.key, layer);
  const Eigen::VectorXd value_bias = read_bias(model, modules.value, layer);
  const bool has_bias = query_bias.size() + key_bias.size() + value_bias.size() > 0;
  const auto read = [&](std::string_view module, const Eigen::VectorXd& bias) {
    return with_bias(read_weight(model, module, layer), bias, has_bias);
  };
  return {.query = read(modules.query, query_bias),
          .key = read(modules.key, key_bias),
          .value = read(modules.value, value_bias),
          .output = read_weight(model, modules.output, layer),
          .output_bias = read_bias(model, modules.output, layer),
          .has_input_bias = has_bias};
}

}  // namespace regroup::models
