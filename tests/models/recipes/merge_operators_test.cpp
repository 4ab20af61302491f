#include <algorithm>
#include <cmath>

#include "models/merge/operators/merge_table.hpp"
#include "models/recipes/merge_matrices.hpp"
#include "models/recipes/merge_recipe.hpp"
#include "search/base/error.hpp"
#include "search/base/random.hpp"
#include "tests/models/recipes/random_layer_cases.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/error_message.hpp"

using namespace regroup;
using namespace regroup::models;
using namespace regroup::tests;
using Eigen::MatrixXd;
using Eigen::VectorXd;
using search::Partition;

namespace {

MatrixXd head_of(const RowMatrix& projection, int head, int d) {
  return projection.middleRows(head * d, d);
}

/// √(mean over tokens of |W x|²).
double activation_norm(const RandomLayer& layer, const MatrixXd& head) {
  double sum = 0;
  int tokens = 0;
  for (std::size_t w = 0; w < layer.inputs.size(); ++w) {
    for (int t = 0; t < layer.inputs[w].rows(); ++t, ++tokens) {
      sum += (head * layer.input(static_cast<int>(w), t)).squaredNorm();
    }
  }
  return std::sqrt(sum / tokens);
}

/// The merged group's key (or value) head by the definition of `name`.
MatrixXd defined_head(const RandomLayer& layer, const RowMatrix& projection,
                      const VectorXd& gradients, std::string_view name) {
  const int d = layer.config.head_dim;
  std::vector<double> weights;
  for (const int member : kMembers) {
    const MatrixXd head = head_of(projection, member, d);
    double distance = 0;
    for (const int other : kMembers) {
      distance += (head_of(projection, other, d) - head).squaredNorm();
    }
    if (name == "mean") weights.push_back(1);
    if (name == "first") weights.push_back(member == 0 ? 1 : 0);
    if (name == "medoid") weights.push_back(-distance);
    if (name == "weighted") weights.push_back(activation_norm(layer, head));
    if (name == "weighted-fisher") weights.push_back(gradients[member]);
  }
  if (name == "medoid") {
    const auto least = std::ranges::max_element(weights) - weights.begin();
    std::ranges::fill(weights, 0.0);
    weights[static_cast<std::size_t>(least)] = 1;
  }
  double total = 0;
  for (const double weight : weights) total += weight;
  MatrixXd sum = MatrixXd::Zero(d, projection.cols());
  for (std::size_t i = 0; i < kMembers.size(); ++i) {
    sum += weights[i] / total * head_of(projection, kMembers[i], d);
  }
  return sum;
}

}  // namespace

TEST_CASE("operators that fold nothing are weighted sums by their definitions") {
  for (const RandomLayerShape& shape : layer_shapes()) {
    const RandomLayer layer(shape);
    for (const char* name : {"mean", "first", "medoid", "weighted", "weighted-fisher"}) {
      INFO(name);
      const MergedMatrices merged =
          merge_matrices(layer.source(), three_and_one(), find_merge(name));
      const int d = layer.config.head_dim;
      const MatrixXd key =
          defined_head(layer, layer.weights.key, layer.moments.gradients->keys, name);
      const MatrixXd value =
          defined_head(layer, layer.weights.value, layer.moments.gradients->values, name);
      CHECK((head_of(merged.weights.key, 0, d) - key).norm() < 1e-12 * key.norm());
      CHECK((head_of(merged.weights.value, 0, d) - value).norm() < 1e-12 * value.norm());
      CHECK((merged.weights.query == layer.weights.query));
      CHECK((merged.weights.output == layer.weights.output));
      CHECK((merged.weights.output_bias == layer.weights.output_bias));
      CHECK_FALSE(find_merge(name).folds());
    }
  }
}

TEST_CASE("the medoid is the lowest of equally distant heads") {
  RandomLayer layer;
  const int d = layer.config.head_dim;
  // Two heads are always equally far from each other.
  const Partition pair = Partition::parse("0 | 1 3 | 2");
  const MergedMatrices merged = merge_matrices(layer.source(), {pair, pair}, find_merge("medoid"));
  CHECK((head_of(merged.weights.key, 1, d) == head_of(layer.weights.key, 1, d)));
}

TEST_CASE("a renorm gives the shared head the members' mean norm, and only that") {
  for (const RandomLayerShape& shape : layer_shapes()) {
    const RandomLayer layer(shape);
    const int d = layer.config.head_dim;
    for (const std::string_view name : merge_names()) {
      const MergeOperator& merge = find_merge(name);
      if (!merge.allows_renorm()) continue;
      INFO(name);
      const MergedMatrices plain = merge_matrices(layer.source(), three_and_one(), merge);
      const MergedMatrices merged = merge_matrices(layer.source(), three_and_one(), {merge, true});
      const auto check = [&](const RowMatrix& source, const RowMatrix& without,
                             const RowMatrix& with) {
        double mean = 0;
        for (const int member : kMembers) {
          mean += activation_norm(layer, head_of(source, member, d)) / 3;
        }
        const MatrixXd head = head_of(with, 0, d);
        const MatrixXd plain_head = head_of(without, 0, d);
        CHECK(activation_norm(layer, head) == Approx(mean).epsilon(1e-10));
        const double factor = head.norm() / plain_head.norm();
        CHECK((head - factor * plain_head).norm() < 1e-10 * head.norm());
        CHECK(std::abs(factor - 1) > 1e-3);
      };
      check(layer.weights.key, plain.weights.key, merged.weights.key);
      check(layer.weights.value, plain.weights.value, merged.weights.value);
      CHECK((merged.weights.query == plain.weights.query));
      CHECK((merged.weights.output == plain.weights.output));
    }
  }
}

TEST_CASE("alignment stops where turning any one head to the mean of all gains nothing more") {
  for (const RandomLayerShape& shape : layer_shapes()) {
    const RandomLayer layer(shape);
    for (const Projection projection : {Projection::kKeys, Projection::kValues}) {
      const MergeProblem problem =
          restrict_to(merge_problem(layer.source(), projection, MergeMetric::kInput), kMembers);
      const SharedHead aligned = find_merge("aligned").share(problem);
      const SharedHead mean = find_merge("mean").share(problem);
      // Σ_h ‖R_h W^h − W̄‖² = Σ_h ‖W^h‖² − n ‖W̄‖²: a longer mean is a better agreement.
      CHECK(squared_norm(aligned, problem.products) > squared_norm(mean, problem.products));
      for (std::size_t plane = 0; plane < problem.products.planes.size(); ++plane) {
        for (Eigen::Index h = 0; h < 3; ++h) {
          CHECK(std::abs(aligned.plane_factors[plane][h]) == Approx(1));
          CHECK(std::abs(aligned.plane_combination[plane][h] * aligned.plane_factors[plane][h] -
                         1.0 / 3) < 1e-12);
        }
      }
      const int rows = problem.layout.block_rows();
      for (int h = 0; h < 3 && rows > 0; ++h) {
        const MatrixXd factor = aligned.block_factors.middleRows(h * rows, rows);
        CHECK((factor * factor.transpose() - MatrixXd::Identity(rows, rows)).norm() < 1e-12);
        const MatrixXd combination = aligned.block_combination.middleCols(h * rows, rows);
        CHECK((3 * combination - factor.transpose()).norm() < 1e-12);
      }
    }
  }
}

TEST_CASE("the free phase and scale of an optimal key: real at its largest part, the mean norm") {
  for (const RandomLayerShape& shape : layer_shapes()) {
    const RandomLayer layer(shape);
    const MergeProblem problem = restrict_to(
        merge_problem(layer.source(), Projection::kKeys, MergeMetric::kAttention), kMembers);
    const SharedHead shared = find_merge("optimal").share(problem);
    for (std::size_t plane = 0; plane < problem.products.planes.size(); ++plane) {
      const VectorXd parts = problem.weights.planes[plane].cwiseSqrt().cwiseProduct(
          shared.plane_factors[plane].cwiseAbs());
      Eigen::Index largest = 0;
      parts.maxCoeff(&largest);
      CHECK(shared.plane_factors[plane][largest].real() > 0);
      CHECK(std::abs(shared.plane_factors[plane][largest].imag()) < 1e-10);
      const Eigen::VectorXcd& c = shared.plane_combination[plane];
      const double norm =
          (c.transpose() * problem.products.planes[plane] * c.conjugate()).value().real();
      CHECK(norm == Approx(problem.products.planes[plane].diagonal().real().mean()));
    }
  }
}

TEST_CASE("recipes know what they need and what they cannot do") {
  CHECK_FALSE(MergeRecipe().needs_calibration());
  CHECK_FALSE(MergeRecipe(find_merge("medoid")).needs_calibration());
  CHECK(MergeRecipe(find_merge("optimal")).needs_calibration());
  CHECK(MergeRecipe(find_merge("mean"), true).needs_calibration());
  CHECK(MergeRecipe(find_merge("first"), false, Refit::kOutput).needs_calibration());
  for (const char* name : {"first", "medoid", "optimal"}) {
    CHECK_THAT(error_message<InputError>([&] {
                 require_valid({find_merge(name), true});
               }),
               contains(name));
  }
  for (const char* name : {"mean", "weighted", "weighted-fisher", "aligned"}) {
    CHECK_NOTHROW(require_valid({find_merge(name), true}));
  }
  CHECK(MergeRecipe(find_merge("aligned"), true, Refit::kBoth).name() ==
        "aligned + renorm + both refits");
  CHECK(MergeRecipe(find_merge("mean"), false, Refit::kOutput).name() == "mean + output refit");
  CHECK_THAT(error_message<InputError>([] { find_refit("twice"); }), contains("none, output"));
  CHECK_THAT(error_message<InputError>([] { find_merge("median"); }), contains("optimal"));
  // Without moments an operator that needs them says so.
  RandomLayer layer;
  const MergeSource blind{layer.weights, layer.config, nullptr};
  CHECK_THROWS_AS(merge_matrices(blind, three_and_one(), find_merge("optimal")), WorkError);
  CHECK_THROWS_AS(merge_matrices(blind, three_and_one(), {find_merge("mean"), true}), WorkError);
  CHECK_NOTHROW(merge_matrices(blind, three_and_one(), find_merge("medoid")));
}
