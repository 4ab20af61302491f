// Merging keys that a norm follows (Qwen3): what passes the norm is a direction and a sign.

#include "models/merge/normed_heads.hpp"

#include <cmath>

#include "models/merge/operators/merge_table.hpp"
#include "models/recipes/merge_matrices.hpp"
#include "search/base/random.hpp"
#include "tests/models/recipes/random_layer_cases.hpp"
#include "tests/support/catch.hpp"

using namespace regroup;
using namespace regroup::models;
using namespace regroup::tests;
using Eigen::VectorXd;

namespace {

/// A layer whose queries and keys are normed by random weights.
RandomLayer normed_layer(const RandomLayerShape& shape) {
  RandomLayer layer(shape);
  layer.config.query_key_norm = QueryKeyNorm::kByHead;
  search::RandomStream random{search::RandomKey(50 + shape.seed)};
  const auto weights = [&] {
    return VectorXd(random_matrix(layer.config.head_dim, 1, random).array() + 1.5);
  };
  layer.weights.query_norm = weights();
  layer.weights.key_norm = weights();
  return layer;
}

/// √d γ ⊙ W x / √E‖W x‖² of every head, the mean over all tokens one by one.
RowMatrix behind(const RandomLayer& layer, const RowMatrix& projection, const VectorXd& gamma) {
  const int d = layer.config.head_dim;
  RowMatrix result = projection;
  for (int head = 0; head * d < projection.rows(); ++head) {
    double energy = 0;
    double tokens = 0;
    for (std::size_t w = 0; w < layer.inputs.size(); ++w) {
      for (int t = 0; t < layer.inputs[w].rows(); ++t, ++tokens) {
        energy += (projection.middleRows(head * d, d) * layer.input(static_cast<int>(w), t))
                      .squaredNorm();
      }
    }
    for (int row = 0; row < d; ++row) {
      result.row(head * d + row) *= gamma[row] * std::sqrt(d / (energy / tokens));
    }
  }
  return result;
}

/// Queries and keys behind their norms, as plain projections.
AttentionMatrices seen(const RandomLayer& layer, const AttentionMatrices& weights) {
  AttentionMatrices result = weights;
  result.query = behind(layer, weights.query, weights.query_norm);
  result.key = behind(layer, weights.key, weights.key_norm);
  return result;
}

/// The error of the members' scores, mean over all pairs of tokens.
double measured_error(const RandomLayer& layer, const NaiveAttention& source,
                      const NaiveAttention& merged) {
  double error = 0;
  double pairs = 0;
  const auto length = static_cast<int>(layer.inputs[0].rows());
  const int tokens = static_cast<int>(layer.inputs.size()) * length;
  for (int t = 0; t < tokens; ++t) {
    for (int i = 0; i < tokens; ++i, ++pairs) {
      const VectorXd x = layer.input(t / length, t % length);
      const VectorXd y = layer.input(i / length, i % length);
      for (const int head : kMembers) {
        const int r = layer.config.queries_per_kv_head();
        for (int query = head * r; query < (head + 1) * r; ++query) {
          const double difference =
              source.block_score(query, x, y) - merged.block_score(query, x, y);
          error += source.plane_error(merged, query, x, y) + difference * difference;
        }
      }
    }
  }
  return error / pairs;
}

}  // namespace

TEST_CASE("residuals of keys that a norm follows are measured behind it") {
  for (const RandomLayerShape& shape : layer_shapes()) {
    const RandomLayer layer = normed_layer(shape);
    const AttentionMatrices own = seen(layer, layer.weights);
    NaiveAttention source = NaiveAttention::of(layer);
    const NaiveAttention plain{own, layer.config, source.key_of_query, source.value_of_query};
    for (const std::string_view name : merge_names()) {
      CAPTURE(name);
      const MergeRecipe recipe(find_merge(name));
      const MergedMatrices merged = merge_matrices(layer.source(), three_and_one(), recipe);
      AttentionMatrices weights = merged.weights;
      const AttentionMatrices shared = seen(layer, weights);
      const NaiveAttention found{shared, layer.config, merged.key_map.stored_of_query(),
                                 merged.value_map.stored_of_query()};
      const auto problem_in = [&](MergeMetric metric) {
        return restrict_to(merge_problem(layer.source(), Projection::kKeys, metric), kMembers);
      };
      const MergeProblem group = problem_in(recipe.merge->metric());
      const MergeProblem prices = problem_in(MergeMetric::kInput);
      const double priced =
          residual(behind_norm(shared_head(group, recipe), group), prices.products, prices.weights);
      CHECK(priced == Approx(measured_error(layer, plain, found)).epsilon(1e-8));
      CHECK(priced > 0);
    }
  }
}

TEST_CASE("heads that differ by size and sign merge without loss where a norm follows") {
  for (const RandomLayerShape& shape : layer_shapes()) {
    RandomLayer layer = normed_layer(shape);
    const int d = layer.config.head_dim;
    layer.weights.key.middleRows(2 * d, d) = -0.7 * layer.weights.key.topRows(d);
    layer.weights.key.middleRows(3 * d, d) = 2.5 * layer.weights.key.topRows(d);
    const AttentionMatrices own = seen(layer, layer.weights);
    const NaiveAttention source = NaiveAttention::of(layer);
    const NaiveAttention plain{own, layer.config, source.key_of_query, source.value_of_query};
    const auto error_of = [&](const char* name) {
      const MergedMatrices merged =
          merge_matrices(layer.source(), three_and_one(), MergeRecipe(find_merge(name)));
      const AttentionMatrices shared = seen(layer, merged.weights);
      return measured_error(layer, plain,
                            {shared, layer.config, merged.key_map.stored_of_query(),
                             merged.value_map.stored_of_query()});
    };
    CHECK(error_of("optimal") < 1e-20);
    CHECK(error_of("aligned") < 1e-20);
    CHECK(error_of("mean") > 1e-3);
  }
}
