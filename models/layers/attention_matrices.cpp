#include "models/layers/attention_matrices.hpp"

namespace regroup::models {
namespace {

RowMatrix read_weight(const PretrainedModel& model, int layer, AttentionRole role) {
  const ProjectionView view = ProjectionView::of_weight(model, layer, role);
  RowMatrix weight = view.matrix();
  view.release();
  return weight;
}

/// The projection, with its bias as last column where the model has one.
RowMatrix read_input_projection(const PretrainedModel& model, int layer, AttentionRole role) {
  RowMatrix weight = read_weight(model, layer, role);
  if (!model.config.input_bias) return weight;
  RowMatrix result(weight.rows(), weight.cols() + 1);
  result.leftCols(weight.cols()) = weight;
  if (has_bias(model.config, role)) {
    result.rightCols(1) = ProjectionView::of_bias(model, layer, role).matrix();
  } else {
    result.rightCols(1).setZero();
  }
  return result;
}

/// A norm's weights as they are multiplied by.
Eigen::VectorXd read_norm(const PretrainedModel& model, const std::string& module) {
  const std::vector<float> values = to_floats(model.tensor(module + ".weight"));
  const Eigen::Map<const Eigen::VectorXf> stored(values.data(), std::ssize(values));
  const double offset = model.config.norm == NormKind::kOffsetRootMeanSquare ? 1 : 0;
  return stored.cast<double>().array() + offset;
}

}  // namespace

AttentionMatrices read_attention_matrices(const PretrainedModel& model, int layer) {
  AttentionMatrices matrices{.query = read_input_projection(model, layer, AttentionRole::kQuery),
                             .key = read_input_projection(model, layer, AttentionRole::kKey),
                             .value = read_input_projection(model, layer, AttentionRole::kValue),
                             .output = read_weight(model, layer, AttentionRole::kOutput),
                             .output_bias = {},
                             .query_norm = {},
                             .key_norm = {},
                             .has_input_bias = model.config.input_bias};
  if (model.config.output_bias) {
    matrices.output_bias = ProjectionView::of_bias(model, layer, AttentionRole::kOutput).matrix();
  }
  if (model.config.query_key_norm != QueryKeyNorm::kNone) {
    const LayerPlace place = model.place(layer);
    matrices.query_norm = read_norm(model, place.name(&LayerModules::query_norm));
    matrices.key_norm = read_norm(model, place.name(&LayerModules::key_norm));
  }
  return matrices;
}

}  // namespace regroup::models
