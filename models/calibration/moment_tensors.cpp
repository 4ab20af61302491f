#include "models/calibration/moment_tensors.hpp"

namespace regroup::models {
namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;

constexpr int kWide = 2048;

void round_to_float(MatrixXd& matrix) {
  matrix = matrix.cast<float>().cast<double>().eval();
}

}  // namespace

LayerMoments empty_moments(const ModelConfig& config, AttentionKind kind, bool has_gradients) {
  const MatrixXd square(config.width, config.width);
  LayerMoments layer;
  layer.input = layer.attended = layer.averaged = square;
  layer.input_mean = VectorXd(config.width);
  layer.averaged_mean = MatrixXd(config.query_heads, config.width);
  if (kind == AttentionKind::kCross) {
    layer.query_input = square;
    layer.query_input_mean = VectorXd(config.width);
  }
  if (has_gradients) {
    layer.gradients = LayerGradients{square, VectorXd(config.query_heads),
                                     VectorXd(config.kv_heads), VectorXd(config.kv_heads)};
  }
  return layer;
}

DType moment_type(const ModelConfig& config) {
  return config.width >= kWide ? DType::kF32 : DType::kF64;
}

void round_moments(LayerMoments& layer, const ModelConfig& config) {
  if (moment_type(config) != DType::kF32) return;
  for (MatrixXd* square : {&layer.input, &layer.attended, &layer.averaged, &layer.query_input}) {
    round_to_float(*square);
  }
}

void round_moments(LayerGradients& gradients, const ModelConfig& config) {
  if (moment_type(config) == DType::kF32) round_to_float(gradients.output);
}

}  // namespace regroup::models
