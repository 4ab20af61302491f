#include <Eigen/QR>
#include <cmath>
#include <complex>

#include "models/merge/operators/merge_table.hpp"
#include "models/recipes/merge_matrices.hpp"
#include "search/base/random.hpp"
#include "tests/models/recipes/random_layer_cases.hpp"
#include "tests/support/catch.hpp"

using namespace regroup;
using namespace regroup::models;
using namespace regroup::tests;
using Eigen::MatrixXd;
using Eigen::VectorXd;
using search::Partition;

namespace {

/// Largest difference of two layers' logits, rotary embedding included, over the largest logit.
double logit_distance(const RandomLayer& layer, const NaiveAttention& a, const NaiveAttention& b) {
  double difference = 0;
  double largest = 0;
  for (int head = 0; head < layer.config.query_heads; ++head) {
    for (int t = 0; t < 5; ++t) {
      for (int i = 0; i <= t; ++i) {
        const VectorXd x = layer.input(1, t);
        const VectorXd y = layer.input(1, i);
        const double expected = a.score(head, x, 7 * t, y, 7 * i);
        difference = std::max(difference, std::abs(b.score(head, x, 7 * t, y, 7 * i) - expected));
        largest = std::max(largest, std::abs(expected));
      }
    }
  }
  return difference / largest;
}

VectorXd block_output(const RandomLayer& layer, const NaiveAttention& attention, int window,
                      int position) {
  VectorXd output = VectorXd::Zero(layer.config.width);
  if (attention.weights.output_bias.size() > 0) output = attention.weights.output_bias;
  for (int head = 0; head < layer.config.query_heads; ++head) {
    output += attention.head_output(head, layer.averaged(window, head, position));
  }
  return output;
}

/// The same of the blocks' outputs under the source's attention maps.
double output_distance(const RandomLayer& layer, const NaiveAttention& a, const NaiveAttention& b) {
  double difference = 0;
  double largest = 0;
  for (int t = 0; t < 5; ++t) {
    const VectorXd expected = block_output(layer, a, 2, t);
    difference = std::max(difference, (block_output(layer, b, 2, t) - expected).norm());
    largest = std::max(largest, expected.norm());
  }
  return difference / largest;
}

MatrixXd random_orthogonal(int rows, search::RandomStream& random) {
  return Eigen::HouseholderQR<MatrixXd>(random_matrix(rows, rows, random)).householderQ();
}

/// What a copy of a head may differ by and still be merged without loss.
enum class Gauge { kNothing, kRotation, kAnything };

/// Makes head `to` a copy of head `from`: turned, or stretched as well, by what can be folded.
void copy_head(RandomLayer& layer, int from, int to, Gauge gauge, search::RandomStream& random) {
  const int d = layer.config.head_dim;
  const int rotary = layer.config.rotary.dimensions;
  const auto turned = [&](int rows) -> MatrixXd {
    if (gauge == Gauge::kNothing) return MatrixXd::Identity(rows, rows);
    const MatrixXd rotation = random_orthogonal(rows, random);
    if (gauge == Gauge::kRotation) return rotation;
    return rotation + 0.4 * MatrixXd(random_matrix(rows, rows, random));
  };
  layer.weights.value.middleRows(to * d, d) =
      turned(d) * layer.weights.value.middleRows(from * d, d);
  RowMatrix key = layer.weights.key.middleRows(from * d, d);
  for (int c = 0; c < rotary / 2; ++c) {
    const bool halves = layer.config.rotary.layout == RotaryLayout::kHalfSplit;
    const int real = halves ? c : 2 * c;
    const int imaginary = halves ? c + rotary / 2 : 2 * c + 1;
    const double angle = gauge == Gauge::kNothing ? 0 : 6 * random.unit();
    const double size = gauge == Gauge::kAnything ? 0.5 + random.unit() : 1;
    const Eigen::RowVectorXd a = key.row(real);
    const Eigen::RowVectorXd b = key.row(imaginary);
    key.row(real) = size * (std::cos(angle) * a - std::sin(angle) * b);
    key.row(imaginary) = size * (std::cos(angle) * b + std::sin(angle) * a);
  }
  if (d > rotary)
    key.bottomRows(d - rotary) = turned(d - rotary) * MatrixXd(key.bottomRows(d - rotary));
  layer.weights.key.middleRows(to * d, d) = key;
}

/// A layer of which heads 2 and 3 are copies of head 0.
RandomLayer with_copies(const RandomLayerShape& shape, Gauge gauge) {
  RandomLayer layer(shape);
  search::RandomStream random{search::RandomKey(100 + shape.seed)};
  copy_head(layer, 0, 2, gauge, random);
  copy_head(layer, 0, 3, gauge, random);
  return layer;
}

search::LayerGrouping copies_together() {
  const Partition partition = Partition::parse("0 2 3 | 1");
  return {partition, partition};
}

void check_lossless(const RandomLayer& layer, const MergeRecipe& recipe) {
  INFO(recipe.name());
  const MergedMatrices merged = merge_matrices(layer.source(), copies_together(), recipe);
  CHECK(merged.weights.key.rows() == 2 * layer.config.head_dim);
  CHECK(merged.weights.value.rows() == 2 * layer.config.head_dim);
  const NaiveAttention before = NaiveAttention::of(layer);
  const NaiveAttention after = naive(merged, layer.config);
  CHECK(logit_distance(layer, before, after) < 1e-9);
  CHECK(output_distance(layer, before, after) < 1e-9);
}

}  // namespace

TEST_CASE("copies of a head merge without loss under every operator") {
  for (const RandomLayerShape& shape : layer_shapes()) {
    const RandomLayer layer = with_copies(shape, Gauge::kNothing);
    for (const std::string_view name : merge_names()) {
      const MergeOperator& merge = find_merge(name);
      check_lossless(layer, merge);
      if (merge.allows_renorm()) check_lossless(layer, {merge, true});
    }
  }
}

TEST_CASE("turned copies of a head merge without loss where rotations are folded") {
  for (const RandomLayerShape& shape : layer_shapes()) {
    const RandomLayer layer = with_copies(shape, Gauge::kRotation);
    for (const char* name : {"aligned", "optimal"}) check_lossless(layer, find_merge(name));
    check_lossless(layer, {find_merge("aligned"), true});
    // A plain mean loses much, so the comparison means something.
    const MergedMatrices mean = merge_matrices(layer.source(), copies_together(), MergeRecipe());
    const NaiveAttention before = NaiveAttention::of(layer);
    CHECK(logit_distance(layer, before, naive(mean, layer.config)) > 0.01);
    CHECK(output_distance(layer, before, naive(mean, layer.config)) > 0.01);
  }
}

TEST_CASE("stretched copies of a head merge without loss under the optimal merge") {
  for (const RandomLayerShape& shape : layer_shapes()) {
    const RandomLayer layer = with_copies(shape, Gauge::kAnything);
    check_lossless(layer, find_merge("optimal"));
    const MergedMatrices aligned =
        merge_matrices(layer.source(), copies_together(), find_merge("aligned"));
    CHECK(output_distance(layer, NaiveAttention::of(layer), naive(aligned, layer.config)) > 0.01);
  }
}

TEST_CASE("heads alone in their group keep their bits, beside any merge") {
  for (const RandomLayerShape& shape : layer_shapes()) {
    const RandomLayer layer(shape);
    const int d = layer.config.head_dim;
    const int r = layer.config.queries_per_kv_head();
    for (const std::string_view name : merge_names()) {
      const MergedMatrices merged =
          merge_matrices(layer.source(), copies_together(), find_merge(name));
      CHECK((merged.weights.key.middleRows(d, d) == layer.weights.key.middleRows(d, d)));
      CHECK((merged.weights.value.middleRows(d, d) == layer.weights.value.middleRows(d, d)));
      CHECK((merged.weights.query.middleRows(r * d, r * d) ==
             layer.weights.query.middleRows(r * d, r * d)));
      CHECK((merged.weights.output.middleCols(r * d, r * d) ==
             layer.weights.output.middleCols(r * d, r * d)));
    }
  }
}

TEST_CASE("an output bias makes up for the mean that a folding merge loses") {
  for (RandomLayerShape shape : layer_shapes()) {
    shape.output_bias = true;
    const RandomLayer layer(shape);
    for (const char* name : {"aligned", "optimal"}) {
      const MergedMatrices merged =
          merge_matrices(layer.source(), copies_together(), find_merge(name));
      VectorXd before = VectorXd::Zero(layer.config.width);
      VectorXd after = before;
      double spread = 0;
      for (int w = 0; w < shape.windows; ++w) {
        for (int t = 0; t < shape.length; ++t) {
          const VectorXd source = block_output(layer, NaiveAttention::of(layer), w, t);
          const VectorXd converted = block_output(layer, naive(merged, layer.config), w, t);
          before += source;
          after += converted;
          spread += (source - converted).norm();
        }
      }
      CHECK((before - after).norm() < 1e-10 * before.norm());
      CHECK(spread > 1e-3 * before.norm());
    }
  }
}
