#include "fitness/layer_grams.hpp"

#include <algorithm>

#include "models/algebra/dense_algebra.hpp"
#include "search/base/error.hpp"
#include "search/base/parallel.hpp"

namespace regroup::fitness {
namespace {

/// Elements of each head that are converted at a time.
constexpr std::size_t kPiece = 4096;

/// Gram of the heads of a projection, read piece by piece.
Eigen::MatrixXd gram_of_heads(const models::ProjectionView& projection) {
  const auto heads = static_cast<Eigen::Index>(projection.heads());
  const std::size_t head_size = projection.head_size();
  std::vector<float> piece(kPiece);
  Eigen::MatrixXd block(kPiece, heads);  // a column per head
  Eigen::MatrixXd gram = Eigen::MatrixXd::Zero(heads, heads);
  for (std::size_t from = 0; from < head_size; from += kPiece) {
    const std::size_t length = std::min(kPiece, head_size - from);
    const auto rows = static_cast<Eigen::Index>(length);
    for (Eigen::Index head = 0; head < heads; ++head) {
      projection.read(static_cast<std::size_t>(head), from, {piece.data(), length});
      block.col(head).head(rows) =
          Eigen::Map<const Eigen::VectorXf>(piece.data(), rows).cast<double>();
    }
    gram.noalias() += block.topRows(rows).transpose() * block.topRows(rows);
  }
  return gram;
}

/// tr(W^i C W^jᵀ) for all pairs of heads of a projection [H_kv·d, D].
Eigen::MatrixXd activation_gram(const models::ProjectionView& projection,
                                const Eigen::MatrixXd& moment) {
  const models::RowMatrix weight = projection.matrix();
  const models::RowMatrix weighted = models::product(weight, moment);
  // In row-major order a head's rows follow each other: one row of d · D numbers per head.
  const auto heads = static_cast<Eigen::Index>(projection.heads());
  const Eigen::Index head_size = weight.size() / heads;
  const Eigen::Map<const models::RowMatrix> by_head(weight.data(), heads, head_size);
  const Eigen::Map<const models::RowMatrix> weighted_by_head(weighted.data(), heads, head_size);
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
    const auto gram = [&](models::AttentionRole role) {
      const auto layer = static_cast<int>(i);
      const auto projection = models::ProjectionView::of_weight(model, layer, role);
      Eigen::MatrixXd result = rule(projection, layer);
      projection.release();
      return result;
    };
    grams[i] = {gram(models::AttentionRole::kKey), gram(models::AttentionRole::kValue)};
    progress.advance(1);
  });
  progress.end();
  return grams;
}

std::vector<LayerGrams> weight_grams(const models::PretrainedModel& model, std::stop_token stop,
                                     search::Progress& progress) {
  const auto rule = [](const models::ProjectionView& projection, int) {
    return gram_of_heads(projection);
  };
  return layer_grams(model, "inner products of heads", rule, stop, progress);
}

std::vector<LayerGrams> activation_grams(const models::PretrainedModel& model,
                                         const models::Calibration& calibration,
                                         std::stop_token stop, search::Progress& progress) {
  const auto rule = [&](const models::ProjectionView& projection, int layer) {
    const auto moments = calibration.moments(static_cast<std::size_t>(layer));
    return activation_gram(projection, moments->input);
  };
  return layer_grams(model, "inner products of activations", rule, stop, progress);
}

}  // namespace regroup::fitness
