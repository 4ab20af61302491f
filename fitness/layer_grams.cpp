#include "fitness/layer_grams.hpp"

#include <algorithm>

#include "models/checkpoint/half.hpp"
#include "search/error.hpp"
#include "search/parallel.hpp"

namespace regroup::fitness {
namespace {

/// Elements of each head that are converted at a time.
constexpr std::size_t kPiece = 4096;

/// Gram of the rows' head blocks of a projection [H_kv·d, D], read piece by piece.
Eigen::MatrixXd gram_of_heads(const models::TensorView& projection, int heads) {
  const auto count = static_cast<std::size_t>(heads);
  const std::size_t bytes_per_element = models::byte_width(projection.dtype);
  const auto head_size = static_cast<std::size_t>(projection.elements()) / count;
  std::vector<float> piece(kPiece);
  Eigen::MatrixXd block(kPiece, heads);  // a column per head
  Eigen::MatrixXd gram = Eigen::MatrixXd::Zero(heads, heads);
  for (std::size_t from = 0; from < head_size; from += kPiece) {
    const std::size_t length = std::min(kPiece, head_size - from);
    const auto rows = static_cast<Eigen::Index>(length);
    for (std::size_t head = 0; head < count; ++head) {
      const std::size_t at = (head * head_size + from) * bytes_per_element;
      const std::span<float> values(piece.data(), length);
      models::to_float(projection.dtype, projection.bytes.subspan(at, length * bytes_per_element),
                       values);
      block.col(static_cast<Eigen::Index>(head)).head(rows) =
          Eigen::Map<const Eigen::VectorXf>(piece.data(), rows).cast<double>();
    }
    gram.noalias() += block.topRows(rows).transpose() * block.topRows(rows);
  }
  return gram;
}

using RowMatrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// tr(W^i C W^jᵀ) for all pairs of heads of a projection [H_kv·d, D].
Eigen::MatrixXd activation_gram(const models::TensorView& projection, int heads,
                                const Eigen::MatrixXd& moment) {
  const std::vector<float> values = models::to_floats(projection);
  const RowMatrix weight =
      Eigen::Map<const Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>(
          values.data(), projection.shape[0], projection.shape[1])
          .cast<double>();
  const RowMatrix weighted = weight * moment;
  // In row-major order a head's rows follow each other: one row of d · D numbers per head.
  const Eigen::Index head_size = weight.size() / heads;
  const Eigen::Map<const RowMatrix> by_head(weight.data(), heads, head_size);
  const Eigen::Map<const RowMatrix> weighted_by_head(weighted.data(), heads, head_size);
  return weighted_by_head * by_head.transpose();
}

}  // namespace

std::vector<LayerGrams> layer_grams(const models::PretrainedModel& model, const std::string& stage,
                                    const GramRule& rule, std::stop_token stop,
                                    search::Progress& progress) {
  const auto layers = static_cast<std::size_t>(model.config.layers);
  std::vector<LayerGrams> grams(layers);
  progress.begin(stage, layers, "layers");
  search::parallel_for(layers, [&](std::size_t i) {
    if (stop.stop_requested()) throw Interrupted();
    const auto gram = [&](std::string_view module) {
      const models::TensorView& projection = model.tensor(module, static_cast<int>(i));
      Eigen::MatrixXd result = rule(projection, static_cast<int>(i));
      model.checkpoint.release(projection);
      return result;
    };
    grams[i] = {gram(model.spec.modules.key), gram(model.spec.modules.value)};
    progress.advance(1);
  });
  progress.end();
  return grams;
}

std::vector<LayerGrams> weight_grams(const models::PretrainedModel& model, std::stop_token stop,
                                     search::Progress& progress) {
  const auto rule = [&](const models::TensorView& projection, int) {
    return gram_of_heads(projection, model.config.kv_heads);
  };
  return layer_grams(model, "inner products of heads", rule, stop, progress);
}

std::vector<LayerGrams> activation_grams(const models::PretrainedModel& model,
                                         const models::Calibration& calibration,
                                         std::stop_token stop, search::Progress& progress) {
  const auto rule = [&](const models::TensorView& projection, int layer) {
    return activation_gram(projection, model.config.kv_heads,
                           calibration.layers[static_cast<std::size_t>(layer)].input);
  };
  return layer_grams(model, "inner products of activations", rule, stop, progress);
}

}  // namespace regroup::fitness
