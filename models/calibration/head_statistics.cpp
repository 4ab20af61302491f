#include "models/calibration/head_statistics.hpp"

#include "models/merge/merge_problem.hpp"

namespace regroup::models {
namespace {

/// The trace over a head's rows of every pair of heads.
HeadStatistics statistics_of(const HeadProducts& products, int heads) {
  HeadStatistics result;
  result.gram = Eigen::MatrixXd::Zero(heads, heads);
  for (const Eigen::MatrixXcd& plane : products.planes) result.gram += plane.real();
  const Eigen::Index rows = products.block.rows() / heads;
  for (int i = 0; i < heads && rows > 0; ++i) {
    for (int j = 0; j < heads; ++j) {
      result.gram(i, j) += products.block.matrix().block(i * rows, j * rows, rows, rows).trace();
    }
  }
  result.norm = result.gram.diagonal().cwiseMax(0).cwiseSqrt();
  const Eigen::VectorXd inverse =
      (result.norm.array() > 0).select(result.norm.array().inverse(), 0).matrix();
  result.cosine = inverse.asDiagonal() * result.gram * inverse.asDiagonal();
  return result;
}

}  // namespace

LayerHeadStatistics head_statistics(const PretrainedModel& model, int layer,
                                    const LayerMoments& moments) {
  const AttentionMatrices weights = read_attention_matrices(model, layer);
  const ModelConfig config = model.config.of_layer(layer);
  const MergeSource source{weights, config, &moments};
  const auto of = [&](Projection projection) {
    return statistics_of(head_products(source, projection, MergeMetric::kInput),
                         model.config.kv_heads);
  };
  LayerHeadStatistics result{of(Projection::kKeys), of(Projection::kValues), {}};
  const HeadWeights energies = head_weights(source, Projection::kKeys);
  result.query_energies.resize(model.config.kv_heads, std::ssize(energies.planes));
  for (std::size_t p = 0; p < energies.planes.size(); ++p) {
    result.query_energies.col(static_cast<Eigen::Index>(p)) = energies.planes[p];
  }
  return result;
}

}  // namespace regroup::models
