#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "models/merge/operators/merge_table.hpp"
#include "models/merge/row_prices.hpp"
#include "models/merge/wide_rows.hpp"
#include "models/recipes/merge_matrices.hpp"
#include "models/recipes/valid_widths.hpp"
#include "search/base/error.hpp"
#include "tests/fixtures/measured_errors.hpp"
#include "tests/models/recipes/random_layer_cases.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/near.hpp"

using namespace regroup;
using namespace regroup::models;
using namespace regroup::tests;
using Eigen::MatrixXd;
using Eigen::VectorXd;
using search::GroupWidths;
using search::LayerGrouping;
using search::Partition;

namespace {

const MergeRecipe& optimal() {
  static const MergeRecipe kOptimal(find_merge("optimal"));
  return kOptimal;
}

/// One partition for keys and values, every group of that width, at most what it can fill.
LayerGrouping wide(const std::string& partition, int width, int head_dim, bool free = false) {
  const Partition groups = Partition::parse(partition);
  std::vector<int> widths;
  for (const std::vector<int>& members : groups.member_ids()) {
    widths.push_back(std::min(width, static_cast<int>(members.size()) * head_dim));
  }
  return {groups, groups, {}, GroupWidths{head_dim, widths, widths, free}};
}

/// Largest difference of scores and of head outputs, each over the largest of the source.
double distance(const RandomLayer& layer, const NaiveAttention& other) {
  const NaiveAttention source = NaiveAttention::of(layer);
  double scores = 0, largest_score = 0, outputs = 0, largest_output = 0;
  for (int head = 0; head < layer.config.query_heads; ++head) {
    for (int t = 0; t < 5; ++t) {
      const VectorXd x = layer.input(1, t);
      for (int i = 0; i <= t; ++i) {
        const VectorXd y = layer.input(2, i);
        const double expected = source.score(head, x, 7 * t, y, 7 * i);
        scores = std::max(scores, std::abs(other.score(head, x, 7 * t, y, 7 * i) - expected));
        largest_score = std::max(largest_score, std::abs(expected));
      }
      const VectorXd z = layer.averaged(1, head, t);
      const VectorXd expected = source.head_output(head, z);
      outputs = std::max(outputs, (other.head_output(head, z) - expected).norm());
      largest_output = std::max(largest_output, expected.norm());
    }
  }
  return std::max(scores / largest_score, outputs / largest_output);
}

MergeProblem group_problem(const RandomLayer& layer, Projection projection,
                           std::span<const int> members) {
  return restrict_to(merge_problem(layer.source(), projection, MergeMetric::kAttention), members);
}

/// Other weights of the same errors, as a price has them.
HeadWeights other_weights(const HeadWeights& weights) {
  HeadWeights others = weights;
  double factor = 0.5;
  for (VectorXd& plane : others.planes) {
    for (double& weight : plane) weight *= factor = 3 - factor;
  }
  for (MatrixXd& block : others.block) block *= factor = 3 - factor;
  return others;
}

const std::vector<int> kGroup = {0, 2, 3};

/// What the merged layer loses of the group's scores and outputs, and what it should.
void check_measured(const RandomLayer& layer, const LayerGrouping& grouping) {
  const MergedMatrices merged = merge_matrices(layer.source(), grouping, optimal());
  const NaiveAttention reader = naive(merged, layer.config);
  for (const Projection projection : {Projection::kKeys, Projection::kValues}) {
    const MergeProblem whole = merge_problem(layer.source(), projection, MergeMetric::kAttention);
    const MergeProblem group = restrict_to(whole, kGroup);
    const SharedRows rows = stored_rows(whole, grouping, projection).groups.front();
    const double expected = row_prices(group, group.weights).residual(rows);
    const double measured = projection == Projection::kKeys
                                ? measured_key_error(layer, reader, kGroup, MergeMetric::kAttention)
                                : measured_value_error(layer, reader, kGroup);
    CHECK(measured == near(expected, 1e-8 * energy(group)));
    const HeadWeights prices = other_weights(group.weights);
    const SharedHead shared = shared_head(group, rows, optimal());
    CHECK(row_prices(group, prices).residual(rows) ==
          near(residual(shared, group.products, prices), 1e-8 * energy(group)));
  }
}

}  // namespace

TEST_CASE("groups as wide as their members lose nothing") {
  for (const RandomLayerShape& shape : layer_shapes()) {
    const RandomLayer layer(shape);
    const int d = layer.config.head_dim;
    for (const char* partition : {"0 1 2 3", "0 2 3 | 1", "0 3 | 1 2"}) {
      INFO(partition);
      const LayerGrouping grouping = wide(partition, 4 * d, d);
      const MergedMatrices merged = merge_matrices(layer.source(), grouping, optimal());
      CHECK(distance(layer, naive(merged, layer.config)) < 1e-10);
      const LayerGrouping narrow{grouping.keys, grouping.values};
      const MergedMatrices lossy = merge_matrices(layer.source(), narrow, optimal());
      CHECK(distance(layer, naive(lossy, layer.config)) > 1e-3);
    }
    const LayerGrouping free = wide("0 1 2 3", 4 * d, d, true);
    const MergedMatrices merged = merge_matrices(layer.source(), free, optimal());
    CHECK(distance(layer, naive(merged, layer.config)) < 1e-10);
  }
}

TEST_CASE("the residual of a wide group is the error measured token by token") {
  for (const RandomLayerShape& shape : layer_shapes()) {
    const RandomLayer layer(shape);
    const int d = layer.config.head_dim;
    check_measured(layer, wide("0 2 3 | 1", 2 * d, d));
    for (int width = 2; width < 3 * d; width += 2) {
      INFO(width);
      LayerGrouping grouping = wide("0 2 3 | 1", width, d, true);
      // All keys of a layer share their frequencies where these are free.
      grouping.widths->keys.back() = std::min(width, d);
      if (grouping.widths->keys.front() != grouping.widths->keys.back()) {
        grouping = {Partition::parse("0 2 3 | 1"), Partition::parse("0 2 3 | 1")};
        grouping.widths = GroupWidths{d, {2 * d, d}, {width, std::min(width, d)}, false};
      }
      check_measured(layer, grouping);
    }
  }
}

TEST_CASE("free frequencies are at least as good as shared ones, and wide groups as narrow ones") {
  for (const RandomLayerShape& shape : layer_shapes()) {
    const RandomLayer layer(shape);
    const int d = layer.config.head_dim;
    const std::vector<int> all = {0, 1, 2, 3};
    for (const Projection projection : {Projection::kKeys, Projection::kValues}) {
      const MergeProblem problem = group_problem(layer, projection, all);
      const RowPrices prices = row_prices(problem, problem.weights);
      const double shared = prices.residual(SharedRows::of_heads(problem.layout, 2));
      const double free = prices.residual(freest_rows(prices, 2 * d));
      // A row of a block and a pair of a plane are not of one kind of error (METHODS §7).
      const bool is_one_kind = problem.layout.planes.empty() || problem.layout.block_rows() == 0;
      if (is_one_kind) CHECK(free <= shared * (1 + 1e-12));
      // At equal bytes: two groups of one head each.
      for (const auto& [a, b] : std::vector<std::pair<std::vector<int>, std::vector<int>>>{
               {{0}, {1, 2, 3}}, {{0, 1}, {2, 3}}, {{0, 2}, {1, 3}}, {{0, 3}, {1, 2}}}) {
        double narrow = 0;
        for (const std::vector<int>& members : {a, b}) {
          if (members.size() == 1) continue;
          const MergeProblem group = group_problem(layer, projection, members);
          narrow += residual(shared_head(group, optimal()), group.products, group.weights);
        }
        CHECK(shared <= narrow * (1 + 1e-9));
      }
    }
  }
}

TEST_CASE("groups of several widths in a layer are merged as each by itself") {
  for (const RandomLayerShape& shape : layer_shapes()) {
    const RandomLayer layer(shape);
    const int d = layer.config.head_dim;
    LayerGrouping grouping = wide("0 2 3 | 1", 2 * d, d);
    const MergedMatrices mixed = merge_matrices(layer.source(), grouping, optimal());
    CHECK(mixed.weights.key.rows() == 4 * d);
    CHECK(mixed.weights.query.rows() == 2 * d * layer.config.query_heads);
    CHECK(mixed.weights.output.cols() == 2 * d * layer.config.query_heads);
    CHECK(mixed.widths == LayerWidths{2 * d, 2 * d, false});
    // Head 1 is alone: nothing of it is lost, for all the room beside it.
    const NaiveAttention reader = naive(mixed, layer.config);
    const std::vector<int> alone = {1};
    CHECK(measured_key_error(layer, reader, alone, MergeMetric::kInput) < 1e-20);
    CHECK(measured_value_error(layer, reader, alone) < 1e-20);
  }
}

TEST_CASE("rows are dealt to pairs and to the block up to any even width") {
  RowPrices prices;
  prices.planes = {(VectorXd(3) << 8, 2, 1).finished(), (VectorXd(3) << 6, 5, 0).finished()};
  prices.block = (VectorXd(3) << 1.4, 1, 0.1).finished();
  const auto dealt = [&](int width) {
    const SharedRows rows = freest_rows(prices, width);
    CHECK(rows.width() == width);
    return rows;
  };
  // A pair counts half, and is two rows: 2, 1.5, 1.25, 0.5, 0.25 a row against 1.4, 1, 0.1.
  CHECK(dealt(2) == SharedRows{{1, 0}, 0});
  CHECK(dealt(4) == SharedRows{{1, 1}, 0});
  CHECK(dealt(6) == SharedRows{{1, 1}, 2});  // a pair would not fit behind the first row
  CHECK(dealt(8) == SharedRows{{1, 2}, 2});
  CHECK(dealt(15) == SharedRows{{3, 3}, 3});
  prices.block = (VectorXd(1) << 9).finished();
  CHECK(dealt(4) == SharedRows{{1, 1}, 0});  // behind the row no pair would fit
  prices.block.resize(0);
  CHECK(dealt(6) == SharedRows{{1, 2}, 0});
}

TEST_CASE("widths that cannot be merged are refused with those that can") {
  const RandomLayer layer{RandomLayerShape{.rotary = {4, RotaryLayout::kHalfSplit, 100, {}}}};
  const int d = layer.config.head_dim;
  const auto refusal = [&](const LayerGrouping& grouping, const char* merge = "optimal") {
    search::Grouping model{{grouping}};
    try {
      require_valid_widths(model, find_merge(merge), layer.config);
    } catch (const InputError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  CHECK(refusal(wide("0 1 2 3", 2 * d, d)).empty());
  CHECK(refusal({Partition::one_group(4), Partition::one_group(4)}, "mean").empty());
  CHECK_THAT(refusal(wide("0 1 2 3", 2 * d, d), "mean"), contains("--merge optimal"));
  LayerGrouping odd = wide("0 1 2 3", 2 * d, d);
  odd.widths->keys = {2 * d + 1};
  CHECK_THAT(refusal(odd), contains(fmt::format("an even number from 2 to {}", 4 * d)));
  LayerGrouping large = wide("0 1 | 2 3", 2 * d, d);
  large.widths->values = {2 * d, 2 * d + 2};
  CHECK_THAT(refusal(large), contains(fmt::format("an even number from 2 to {}", 2 * d)));
  LayerGrouping few = wide("0 1 | 2 3", 2 * d, d);
  few.widths->values = {2 * d};
  CHECK_THAT(refusal(few), contains("2 widths"));
  LayerGrouping unlike = wide("0 1 2 | 3", 2 * d, d);
  unlike.widths->keys = {d + 2, d};
  CHECK_THAT(refusal(unlike), contains(fmt::format("multiples of {}", d)));
}
