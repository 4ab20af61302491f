#include "models/merge/merge_problem.hpp"

#include <cmath>
#include <complex>

#include "models/algebra/dense_algebra.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

const LayerMoments& required_moments(const MergeSource& source) {
  if (source.moments == nullptr) throw WorkError({.what = "merging needs calibration"});
  return *source.moments;
}

/// The moment of an input that ends with a 1 where the projections have biases.
MatrixXd with_one(const MatrixXd& moment, const VectorXd& mean, bool has_bias) {
  if (!has_bias) return moment;
  const Index width = moment.rows();
  MatrixXd result(width + 1, width + 1);
  result.topLeftCorner(width, width) = moment;
  result.topRightCorner(width, 1) = mean;
  result.bottomLeftCorner(1, width) = mean.transpose();
  result(width, width) = 1;
  return result;
}

/// The moment about the mean: the constant 1 has none.
MatrixXd about_mean(const MatrixXd& moment, const VectorXd& mean, bool has_bias) {
  const Index width = moment.rows();
  MatrixXd result = MatrixXd::Zero(width + (has_bias ? 1 : 0), width + (has_bias ? 1 : 0));
  result.topLeftCorner(width, width) = moment - mean * mean.transpose();
  return result;
}

VectorXd averaged_mean(const LayerMoments& moments) {
  return moments.averaged_mean.colwise().mean().transpose();
}

/// Cov z_j, mean over query heads: each head about its own mean.
MatrixXd averaged_covariance(const LayerMoments& moments, bool has_bias) {
  const auto heads = static_cast<double>(moments.averaged_mean.rows());
  const MatrixXd means = moments.averaged_mean.transpose() * moments.averaged_mean / heads;
  return about_mean(moments.averaged - means, VectorXd::Zero(means.rows()), has_bias);
}

/// The metric of the rows in rotary planes.
MatrixXd plane_moment(const MergeSource& source, MergeMetric metric) {
  const LayerMoments& moments = required_moments(source);
  const bool has_bias = source.weights.has_input_bias;
  if (metric == MergeMetric::kInput) return with_one(moments.input, moments.input_mean, has_bias);
  return with_one(moments.attended, averaged_mean(moments), has_bias);
}

/// The metric of the rows that rotary embedding leaves alone.
MatrixXd block_moment(const MergeSource& source, Projection projection, MergeMetric metric) {
  const LayerMoments& moments = required_moments(source);
  const bool has_bias = source.weights.has_input_bias;
  if (metric == MergeMetric::kInput) return with_one(moments.input, moments.input_mean, has_bias);
  if (projection == Projection::kKeys) {
    return about_mean(moments.input, moments.input_mean, has_bias);
  }
  if (source.weights.output_bias.size() > 0) return averaged_covariance(moments, has_bias);
  return with_one(moments.averaged, averaged_mean(moments), has_bias);
}

HeadLayout layout_of(const MergeSource& source, Projection projection) {
  return projection == Projection::kKeys ? HeadLayout::of_keys(source.config)
                                         : HeadLayout::of_values(source.config);
}

/// Row `row` of every head, [heads, columns].
MatrixXd rows_of_heads(const RowMatrix& projection, int heads, int head_dim, int row) {
  MatrixXd rows(heads, projection.cols());
  for (int head = 0; head < heads; ++head) rows.row(head) = projection.row(head * head_dim + row);
  return rows;
}

/// The block's rows of every head, one head after another, [heads·b, columns].
MatrixXd block_of_heads(const RowMatrix& projection, int heads, const HeadLayout& layout) {
  const int rows = layout.block_rows();
  MatrixXd block(heads * rows, projection.cols());
  for (int head = 0; head < heads; ++head) {
    block.middleRows(head * rows, rows) =
        projection.middleRows(head * layout.head_dim + layout.block_begin, rows);
  }
  return block;
}

/// tr W^i C W^jᵀ of all heads; `moment` is C.
MatrixXd gram_of_heads(const RowMatrix& projection, int heads, const MatrixXd& moment) {
  const RowMatrix weighted = product(projection, moment);
  const Eigen::Map<const RowMatrix> own(projection.data(), heads, projection.size() / heads);
  const Eigen::Map<const RowMatrix> other(weighted.data(), heads, projection.size() / heads);
  const MatrixXd gram = other * own.transpose();
  return 0.5 * (gram + gram.transpose());
}

/// The heads behind a norm with weights γ: √d γ ⊙ W/‖W‖_C.
RowMatrix behind_norm(const RowMatrix& projection, int heads, const VectorXd& gamma,
                      const MatrixXd& moment) {
  const VectorXd norms =
      gram_of_heads(projection, heads, moment).diagonal().cwiseMax(0).cwiseSqrt();
  const Index d = gamma.size();
  const double root = std::sqrt(static_cast<double>(d));
  RowMatrix result = projection;
  for (Index head = 0; head < heads; ++head) {
    const double scale = norms[head] > 0 ? root / norms[head] : 0;
    const RowMatrix rows = scale * (gamma.asDiagonal() * projection.middleRows(head * d, d));
    result.middleRows(head * d, d) = rows;
  }
  return result;
}

/// The heads behind one norm over all of them with weights γ, as it is on average: √(H d) γ ⊙
/// W/‖W‖_C with the norm of the whole projection.
RowMatrix behind_whole_norm(const RowMatrix& projection, int heads, const VectorXd& gamma,
                            const MatrixXd& moment) {
  const double square = std::max(0.0, gram_of_heads(projection, heads, moment).trace());
  const double scale = square > 0 ? std::sqrt(static_cast<double>(gamma.size()) / square) : 0;
  return scale * (gamma.asDiagonal() * projection);
}

/// C of what keys and values read.
MatrixXd input_moment(const MergeSource& source) {
  const LayerMoments& moments = required_moments(source);
  return with_one(moments.input, moments.input_mean, source.weights.has_input_bias);
}

/// C of what queries read.
MatrixXd query_moment(const MergeSource& source) {
  const LayerMoments& moments = required_moments(source);
  if (moments.query_input.size() == 0) return input_moment(source);
  return with_one(moments.query_input, moments.query_input_mean, source.weights.has_input_bias);
}

/// The projection as attention sees it: queries and keys behind their norms.
RowMatrix seen_queries(const MergeSource& source, const MatrixXd& moment) {
  const AttentionMatrices& weights = source.weights;
  if (weights.query_norm.size() == 0) return weights.query;
  const bool is_whole = source.config.query_key_norm == QueryKeyNorm::kWhole;
  return (is_whole ? behind_whole_norm : behind_norm)(weights.query, source.config.query_heads,
                                                      weights.query_norm, moment);
}

RowMatrix seen_projection(const MergeSource& source, Projection projection) {
  const AttentionMatrices& weights = source.weights;
  if (projection == Projection::kValues) return weights.value;
  if (weights.key_norm.size() == 0) return weights.key;
  const bool is_whole = source.config.query_key_norm == QueryKeyNorm::kWhole;
  return (is_whole ? behind_whole_norm : behind_norm)(weights.key, source.config.kv_heads,
                                                      weights.key_norm, input_moment(source));
}

MatrixXd symmetric(const MatrixXd& matrix) {
  return 0.5 * (matrix + matrix.transpose());
}

/// Energies of query heads, weighted by `sensitivity` and summed over those of each KV head.
HeadWeights query_weights(const MergeSource& source, const VectorXd& sensitivity) {
  const ModelConfig& config = source.config;
  const HeadLayout layout = HeadLayout::of_keys(config);
  const MatrixXd moment = query_moment(source);
  const RowMatrix queries = seen_queries(source, moment);
  const RowMatrix weighted = product(queries, moment);
  const int shared = config.queries_per_kv_head();
  HeadWeights weights;
  for (const auto& [real, imaginary] : layout.planes) {
    VectorXd energies = VectorXd::Zero(config.kv_heads);
    for (int query = 0; query < config.query_heads; ++query) {
      const auto energy = [&](int row) {
        const Index at = query * layout.head_dim + row;
        return weighted.row(at).dot(queries.row(at));
      };
      energies[query / shared] += sensitivity[query] * (energy(real) + energy(imaginary));
    }
    weights.planes.push_back(energies.cwiseMax(0));
  }
  const int rows = layout.block_rows();
  weights.block.assign(static_cast<std::size_t>(config.kv_heads), MatrixXd::Zero(rows, rows));
  for (int query = 0; query < config.query_heads && rows > 0; ++query) {
    const Index at = query * layout.head_dim + layout.block_begin;
    weights.block[static_cast<std::size_t>(query / shared)] +=
        sensitivity[query] *
        symmetric(weighted.middleRows(at, rows) * queries.middleRows(at, rows).transpose());
  }
  return weights;
}

/// P_h = scale · Σ_j W_O^jᵀ G W_O^j; `weighted_output` is G W_O.
HeadWeights output_weights(const MergeSource& source, const RowMatrix& weighted_output,
                           double scale) {
  const ModelConfig& config = source.config;
  const int d = config.head_dim;
  HeadWeights weights;
  weights.block.assign(static_cast<std::size_t>(config.kv_heads), MatrixXd::Zero(d, d));
  for (int query = 0; query < config.query_heads; ++query) {
    weights.block[static_cast<std::size_t>(query / config.queries_per_kv_head())] +=
        scale * symmetric(source.weights.output.middleCols(query * d, d).transpose() *
                          weighted_output.middleCols(query * d, d));
  }
  return weights;
}

const LayerGradients& required_gradients(const MergeSource& source) {
  const LayerMoments& moments = required_moments(source);
  if (!moments.gradients) throw WorkError({.what = "this needs calibration with gradients"});
  return *moments.gradients;
}

}  // namespace

VectorXd HeadProducts::squared_norms(int heads) const {
  VectorXd norms = VectorXd::Zero(heads);
  for (const Eigen::MatrixXcd& plane : planes) norms += plane.diagonal().real();
  const Index rows = block.rows() / heads;
  for (int head = 0; head < heads && rows > 0; ++head) {
    norms[head] += block.matrix().diagonal().segment(head * rows, rows).sum();
  }
  return norms.cwiseMax(0);
}

VectorXd MergeProblem::squared_norms() const {
  return normed ? VectorXd(normed->norms.cwiseAbs2()) : products.squared_norms(heads);
}

HeadProducts head_products(const MergeSource& source, Projection projection, MergeMetric metric) {
  const HeadLayout layout = layout_of(source, projection);
  const int heads = source.config.kv_heads;
  const RowMatrix weight = seen_projection(source, projection);
  HeadProducts products;
  if (!layout.planes.empty()) {
    const RowMatrix weighted = product(weight, plane_moment(source, metric));
    for (const auto& [real, imaginary] : layout.planes) {
      const MatrixXd a = rows_of_heads(weight, heads, layout.head_dim, real);
      const MatrixXd b = rows_of_heads(weight, heads, layout.head_dim, imaginary);
      const MatrixXd moment_a = rows_of_heads(weighted, heads, layout.head_dim, real);
      const MatrixXd moment_b = rows_of_heads(weighted, heads, layout.head_dim, imaginary);
      Eigen::MatrixXcd plane(heads, heads);
      plane.real() = symmetric(moment_a * a.transpose() + moment_b * b.transpose());
      const MatrixXd turned = moment_b * a.transpose();
      plane.imag() = turned - turned.transpose();
      products.planes.push_back(std::move(plane));
    }
  }
  if (layout.block_rows() > 0) {
    const MatrixXd block = block_of_heads(weight, heads, layout);
    const MatrixXd weighted = product(block, block_moment(source, projection, metric));
    products.block = symmetric(product(weighted, block.transpose()));
  }
  return products;
}

HeadWeights head_weights(const MergeSource& source, Projection projection) {
  if (projection == Projection::kKeys) {
    return query_weights(source, VectorXd::Ones(source.config.query_heads));
  }
  return output_weights(source, source.weights.output, 1);
}

HeadWeights fisher_weights(const MergeSource& source, Projection projection) {
  const LayerGradients& gradients = required_gradients(source);
  if (projection == Projection::kValues) {
    return output_weights(source, product(gradients.output, source.weights.output), 0.5);
  }
  // Residuals are Σ Δscore² without the scale of the logits; uniform phases make half of |q̄ k|² the
  // square of its real part.
  const double scale = source.config.score_scale();
  HeadWeights weights = query_weights(source, 0.5 * scale * scale * gradients.logits);
  for (VectorXd& plane : weights.planes) plane *= 0.5;
  return weights;
}

MergeProblem merge_problem(const MergeSource& source, Projection projection, MergeMetric metric) {
  const RowMatrix& weight =
      projection == Projection::kKeys ? source.weights.key : source.weights.value;
  MergeProblem problem;
  problem.heads = source.config.kv_heads;
  problem.layout = layout_of(source, projection);
  problem.weight_products = weight_products(weight, problem.heads);
  if (source.moments == nullptr) return problem;
  problem.products = head_products(source, projection, metric);
  problem.weights = head_weights(source, projection);
  if (projection == Projection::kKeys && source.config.query_key_norm == QueryKeyNorm::kByHead) {
    MatrixXd gram = gram_of_heads(weight, problem.heads, input_moment(source));
    problem.normed = NormedHeads{gram.diagonal().cwiseMax(0).cwiseSqrt(), std::move(gram)};
  }
  if (source.moments->gradients) {
    const LayerGradients& gradients = *source.moments->gradients;
    problem.gradients = projection == Projection::kKeys ? gradients.keys : gradients.values;
  }
  return problem;
}

MatrixXd weight_products(const RowMatrix& projection, int heads) {
  const Eigen::Map<const RowMatrix> by_head(projection.data(), heads, projection.size() / heads);
  return by_head * by_head.transpose();
}

}  // namespace regroup::models
