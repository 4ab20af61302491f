#include <Eigen/Eigenvalues>
#include <algorithm>
#include <array>
#include <cmath>
#include <complex>

#include "models/merge/operators/merge_table.hpp"
#include "models/recipes/merge_matrices.hpp"
#include "models/recipes/merge_recipe.hpp"
#include "search/base/random.hpp"
#include "tests/fixtures/measured_errors.hpp"
#include "tests/models/recipes/random_layer_cases.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/near.hpp"

using namespace regroup;
using namespace regroup::models;
using namespace regroup::tests;
using Eigen::MatrixXcd;
using Eigen::MatrixXd;
using Eigen::VectorXcd;
using Eigen::VectorXd;

namespace {

/// Σ of all but the `rank` largest squared singular values of a matrix.
double discarded(const MatrixXd& matrix, int rank) {
  const MatrixXd gram = matrix.transpose() * matrix;
  const VectorXd values = Eigen::SelfAdjointEigenSolver<MatrixXd>(gram).eigenvalues();
  return values.head(std::max<Eigen::Index>(0, values.size() - rank)).sum();
}

/// Least error of a shared key: plane by plane what one complex row cannot hold, and what is left
/// of the members' scores, a matrix of queries and keys, beyond the rank of one head.
double least_key_error(const RandomLayer& layer) {
  const ModelConfig& config = layer.config;
  const NaiveAttention source = NaiveAttention::of(layer);
  const WeightedKeys tokens = all_tokens(layer);
  const WeightedKeys keys = attended_tokens(layer);
  const auto n = static_cast<Eigen::Index>(tokens.inputs.size());
  double error = 0;
  const HeadLayout layout = HeadLayout::of_keys(config);
  const auto members = static_cast<Eigen::Index>(kMembers.size());
  for (const auto& [real, imaginary] : layout.planes) {
    MatrixXcd gram = MatrixXcd::Zero(members, members);
    VectorXd energies = VectorXd::Zero(members);
    const auto value = [&](const RowMatrix& rows, int head, const VectorXd& x) {
      return std::complex<double>(rows.row(head * config.head_dim + real).dot(x),
                                  rows.row(head * config.head_dim + imaginary).dot(x));
    };
    for (Eigen::Index h = 0; h < members; ++h) {
      const int r = config.queries_per_kv_head();
      const int head = kMembers[static_cast<std::size_t>(h)];
      for (int query = head * r; query < (head + 1) * r; ++query) {
        for (const VectorXd& x : tokens.inputs) {
          energies[h] += std::norm(value(layer.weights.query, query, x)) / static_cast<double>(n);
        }
      }
    }
    for (std::size_t i = 0; i < keys.inputs.size(); ++i) {
      VectorXcd seen(members);
      for (Eigen::Index h = 0; h < members; ++h) {
        seen[h] = std::sqrt(energies[h]) *
                  value(layer.weights.key, kMembers[static_cast<std::size_t>(h)], keys.inputs[i]);
      }
      gram += keys.weights[i] * seen * seen.adjoint();
    }
    const VectorXd values = Eigen::SelfAdjointEigenSolver<MatrixXcd>(gram).eigenvalues();
    error += values.sum() - values.maxCoeff();
  }
  if (layout.block_rows() == 0) return error;
  const Eigen::Index queries = members * config.queries_per_kv_head();
  MatrixXd scores(queries * n, n);
  Eigen::Index row = 0;
  for (int query = 0; query < config.query_heads; ++query) {
    if (!serves(layer, kMembers, query)) continue;
    for (Eigen::Index t = 0; t < n; ++t, ++row) {
      for (Eigen::Index i = 0; i < n; ++i) {
        scores(row, i) = source.block_score(query, tokens.inputs[static_cast<std::size_t>(t)],
                                            tokens.inputs[static_cast<std::size_t>(i)]);
      }
      scores.row(row).array() -= scores.row(row).mean();
    }
  }
  return error + discarded(scores, layout.block_rows()) / static_cast<double>(n * n);
}

/// Least error of a shared value: what is left of the members' outputs beyond the rank of one head.
double least_value_error(const RandomLayer& layer) {
  const ModelConfig& config = layer.config;
  const NaiveAttention source = NaiveAttention::of(layer);
  const MatrixXd inputs = averaged_inputs(layer);
  MatrixXd outputs(0, inputs.cols());
  for (int query = 0; query < config.query_heads; ++query) {
    if (!serves(layer, kMembers, query)) continue;
    outputs.conservativeResize(outputs.rows() + config.width, Eigen::NoChange);
    for (Eigen::Index i = 0; i < inputs.cols(); ++i) {
      outputs.col(i).tail(config.width) = source.head_output(query, inputs.col(i));
    }
  }
  return discarded(outputs, config.head_dim) / static_cast<double>(inputs.cols());
}

/// The members' part of what prices merges: products in `metric`, energies of what reads them.
MergeProblem pricing(const RandomLayer& layer, Projection projection, MergeMetric metric) {
  return restrict_to(merge_problem(layer.source(), projection, metric), kMembers);
}

/// The residual of what `recipe` makes of the members, each operator in its own metric.
double priced(const RandomLayer& layer, Projection projection, const MergeRecipe& recipe,
              MergeMetric metric) {
  const SharedHead shared = shared_head(pricing(layer, projection, recipe.merge->metric()), recipe);
  const MergeProblem prices = pricing(layer, projection, metric);
  return residual(shared, prices.products, prices.weights);
}

void check_residuals(const RandomLayer& layer) {
  const double key_energy = energy(pricing(layer, Projection::kKeys, MergeMetric::kAttention));
  const double value_energy = energy(pricing(layer, Projection::kValues, MergeMetric::kAttention));
  for (const std::string_view name : merge_names()) {
    INFO(name);
    const MergeRecipe recipe(find_merge(name));
    const MergedMatrices merged = merge_matrices(layer.source(), three_and_one(), recipe);
    const NaiveAttention naive{merged.weights,
                               layer.config,
                               merged.key_map.stored_of_query(),
                               merged.value_map.stored_of_query(),
                               {}};
    for (const MergeMetric metric : {MergeMetric::kInput, MergeMetric::kAttention}) {
      CHECK(priced(layer, Projection::kKeys, recipe, metric) ==
            near(measured_key_error(layer, naive, kMembers, metric), 1e-8 * key_energy));
    }
    CHECK(priced(layer, Projection::kValues, recipe, MergeMetric::kAttention) ==
          near(measured_value_error(layer, naive, kMembers), 1e-8 * value_energy));
  }
  const MergeRecipe optimal(find_merge("optimal"));
  CHECK(priced(layer, Projection::kKeys, optimal, MergeMetric::kAttention) ==
        near(least_key_error(layer), 1e-8 * key_energy));
  CHECK(priced(layer, Projection::kValues, optimal, MergeMetric::kAttention) ==
        near(least_value_error(layer), 1e-8 * value_energy));
}

VectorXcd random_complex(Eigen::Index size, search::RandomStream& random) {
  VectorXcd result(size);
  for (auto& value : result) value = {2 * random.unit() - 1, 2 * random.unit() - 1};
  return result;
}

/// `best` moved by `step`, or, at step 0, a shared head that has nothing to do with it.
SharedHead another(const SharedHead& best, double step, search::RandomStream& random) {
  SharedHead other = best;
  const double keep = step > 0 ? 1 : 0;
  const double scale = step > 0 ? step : 1;
  const auto moved_plane = [&](VectorXcd& values) {
    values = keep * values + scale * random_complex(values.size(), random);
  };
  const auto moved_block = [&](MatrixXd& values) {
    const MatrixXd change =
        random_matrix(static_cast<int>(values.rows()), static_cast<int>(values.cols()), random);
    values = keep * values + scale * change;
  };
  for (VectorXcd& values : other.plane_combination) moved_plane(values);
  for (VectorXcd& values : other.plane_factors) moved_plane(values);
  moved_block(other.block_combination);
  moved_block(other.block_factors);
  return other;
}

}  // namespace

TEST_CASE("residuals are the errors measured token by token, the optimal merge's the least ones") {
  for (const RandomLayerShape& shape : layer_shapes()) check_residuals(RandomLayer(shape));
}

TEST_CASE("no operator and no random shared head beats the optimal merge") {
  search::RandomStream random{search::RandomKey(5)};
  for (const RandomLayerShape& shape : layer_shapes()) {
    const RandomLayer layer(shape);
    for (const Projection projection : {Projection::kKeys, Projection::kValues}) {
      const MergeProblem problem = pricing(layer, projection, MergeMetric::kAttention);
      const SharedHead best = find_merge("optimal").share(problem);
      const double least = residual(best, problem.products, problem.weights);
      const double slack = 1e-10 * energy(problem);
      CHECK(least > 1e-4 * energy(problem));
      for (const std::string_view name : merge_names()) {
        INFO(name);
        CHECK(priced(layer, projection, find_merge(name), MergeMetric::kAttention) >=
              least - slack);
        if (!find_merge(name).allows_renorm()) continue;
        CHECK(priced(layer, projection, {find_merge(name), true}, MergeMetric::kAttention) >=
              least - slack);
      }
      int better = 0;
      double nearest = energy(problem);
      for (int i = 0; i < 1000; ++i) {
        const double step = std::array{0.0, 1e-1, 1e-2, 1e-3}[static_cast<std::size_t>(i % 4)];
        const SharedHead other = another(best, step, random);
        const double error = residual(other, problem.products, problem.weights);
        better += error < least - slack;
        nearest = std::min(nearest, error);
      }
      CHECK(better == 0);
      CHECK(nearest < 1.1 * least);  // the small steps do come close
    }
  }
}

TEST_CASE("singular weights of the errors are handled, down to heads that nothing reads") {
  for (const RandomLayerShape& shape : layer_shapes()) {
    RandomLayer layer(shape);
    const int d = layer.config.head_dim;
    const int r = layer.config.queries_per_kv_head();
    // Nothing reads head 0; the query and output heads of head 2 have rank 1.
    layer.weights.query.topRows(r * d).setZero();
    layer.weights.output.leftCols(r * d).setZero();
    for (int row = 1; row < r * d; ++row) {
      layer.weights.query.row(2 * r * d + row) = layer.weights.query.row(2 * r * d);
      layer.weights.output.col(2 * r * d + row) = layer.weights.output.col(2 * r * d);
    }
    check_residuals(layer);
    // Nothing reads any head.
    layer.weights.query.setZero();
    layer.weights.output.setZero();
    for (const std::string_view name : merge_names()) {
      const MergedMatrices merged =
          merge_matrices(layer.source(), three_and_one(), find_merge(name));
      CHECK(merged.weights.key.allFinite());
      CHECK(merged.weights.value.allFinite());
      CHECK(merged.weights.query.isZero(0));
      CHECK(merged.weights.output.isZero(0));
    }
  }
}

TEST_CASE("heads of zeros merge into zeros") {
  for (const RandomLayerShape& shape : layer_shapes()) {
    RandomLayer layer(shape);
    layer.weights.key.setZero();
    layer.weights.value.setZero();
    for (const std::string_view name : merge_names()) {
      INFO(name);
      const MergeOperator& merge = find_merge(name);
      for (const bool renorm : {false, true}) {
        if (renorm && !merge.allows_renorm()) continue;
        const MergedMatrices merged =
            merge_matrices(layer.source(), three_and_one(), {merge, renorm});
        CHECK(merged.weights.key.isZero(0));
        CHECK(merged.weights.value.isZero(0));
        CHECK(merged.weights.query.allFinite());
        CHECK(merged.weights.output.allFinite());
      }
      CHECK(priced(layer, Projection::kKeys, merge, MergeMetric::kAttention) == 0);
      CHECK(priced(layer, Projection::kValues, merge, MergeMetric::kAttention) == 0);
    }
  }
}
