#include "models/calibration/scratch_moments.hpp"

#include <utility>

#include "models/calibration/moment_tensors.hpp"

namespace regroup::models {
namespace {

using Eigen::MatrixXd;

/// Where the parts of gradients begin among all of a layer.
template <class Moments>
std::size_t count_parts(Moments& moments) {
  std::size_t count = 0;
  for_each_moment(moments, [&](std::string_view, const auto&) { ++count; });
  return count;
}

}  // namespace

ScratchMoments::ScratchMoments(std::shared_ptr<const Scratch> scratch, const ModelConfig& config)
    : scratch_(std::move(scratch)),
      config_(config),
      layers_(static_cast<std::size_t>(config.layers)) {}

std::vector<ScratchMoments::Numbers> ScratchMoments::kept(const LayerMoments& moments) const {
  std::vector<Numbers> result;
  for_each_moment(moments, [&](std::string_view, const auto& values) {
    const bool is_square = values.rows() == config_.width && values.cols() == config_.width;
    const DType type = is_square ? moment_type(config_) : DType::kF64;
    const auto size = static_cast<std::size_t>(values.size());
    const std::shared_ptr<std::byte> memory = scratch_->allocate(size * byte_width(type));
    if (type == DType::kF32) {
      Eigen::Map<Eigen::MatrixXf>(reinterpret_cast<float*>(memory.get()), values.rows(),
                                  values.cols()) = values.template cast<float>();
    } else {
      Eigen::Map<MatrixXd>(reinterpret_cast<double*>(memory.get()), values.rows(), values.cols()) =
          values;
    }
    result.push_back({values.rows(), values.cols(), type, memory});
  });
  return result;
}

void ScratchMoments::put(std::size_t layer, const LayerMoments& moments) {
  layers_[layer].moments = kept(moments);
  layers_[layer].is_cross = moments.query_input.size() > 0;
}

void ScratchMoments::put(std::size_t layer, const LayerGradients& gradients) {
  LayerMoments alone;
  const std::size_t others = count_parts(alone);
  alone.gradients = gradients;
  std::vector<Numbers> all = kept(alone);
  layers_[layer].gradients.assign(all.begin() + static_cast<std::ptrdiff_t>(others), all.end());
}

LayerMoments ScratchMoments::layer(std::size_t layer) const {
  const Layer& kept = layers_[layer];
  LayerMoments moments =
      empty_moments(config_, kept.is_cross ? AttentionKind::kCross : AttentionKind::kCausal,
                    !kept.gradients.empty());
  std::size_t part = 0;
  for_each_moment(moments, [&](std::string_view, auto& values) {
    const Numbers& own = part < kept.moments.size() ? kept.moments[part]
                                                    : kept.gradients[part - kept.moments.size()];
    ++part;
    if (own.type == DType::kF32) {
      values = Eigen::Map<const Eigen::MatrixXf>(reinterpret_cast<const float*>(own.memory.get()),
                                                 own.rows, own.columns)
                   .cast<double>();
    } else {
      values = Eigen::Map<const MatrixXd>(reinterpret_cast<const double*>(own.memory.get()),
                                          own.rows, own.columns);
    }
  });
  return moments;
}

}  // namespace regroup::models
