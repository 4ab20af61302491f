#include "fitness/residual.hpp"

#include <cmath>

#include "fitness/residual_cost.hpp"
#include "models/language_model/language_model.hpp"
#include "models/merge/operators/merge_table.hpp"
#include "search/base/error.hpp"
#include "search/problem/enumeration.hpp"
#include "tests/fixtures/random_layer.hpp"
#include "tests/fixtures/tiny_llama.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/random_tables.hpp"
#include "tests/support/temporary_directory.hpp"

using namespace regroup;
using namespace regroup::fitness;
using namespace regroup::tests;
using Eigen::MatrixXd;
using Eigen::VectorXd;
using models::HeadWeights;
using models::MergeMetric;
using models::MergeRecipe;
using models::Projection;

namespace {

constexpr int kHeads = 5;

/// Layers of five heads: rotary, partially rotary with biases, without; two with shared heads.
std::vector<RandomLayer> layers() {
  using models::RotaryLayout;
  const models::RotaryConfig partial = {2, RotaryLayout::kInterleaved, 100, {}};
  const models::RotaryConfig none = {0, RotaryLayout::kHalfSplit, 100, {}};
  const RandomLayerShape rotary{.kv_heads = kHeads, .queries_per_kv_head = 2, .width = 14};
  const RandomLayerShape mixed{.rotary = partial,
                               .kv_heads = kHeads,
                               .width = 14,
                               .input_bias = true,
                               .output_bias = true,
                               .seed = 2};
  const RandomLayerShape plain{
      .rotary = none, .kv_heads = kHeads, .queries_per_kv_head = 2, .width = 14, .seed = 3};
  return {RandomLayer(rotary), RandomLayer(mixed), RandomLayer(plain)};
}

HeadWeights weights_of(const RandomLayer& layer, Projection projection, bool fisher) {
  return fisher ? models::fisher_weights(layer.source(), projection)
                : models::head_weights(layer.source(), projection);
}

ResidualCost table_of(const RandomLayer& layer, Projection projection, const MergeRecipe& recipe,
                      bool fisher) {
  return {models::merge_problem(layer.source(), projection, recipe.merge->metric()),
          models::head_products(layer.source(), projection, MergeMetric::kAttention),
          weights_of(layer, projection, fisher), recipe};
}

std::vector<search::Head> heads_of(unsigned set) {
  std::vector<search::Head> heads;
  for (int head = 0; head < kHeads; ++head) {
    if ((set >> head & 1U) != 0) heads.emplace_back(head);
  }
  return heads;
}

/// Calls check(table, layer, projection, recipe, fisher) for every kind of table.
template <class Check>
void for_each_table(const Check& check) {
  for (const RandomLayer& layer : layers()) {
    for (const Projection projection : {Projection::kKeys, Projection::kValues}) {
      for (const std::string_view name : models::merge_names()) {
        for (const bool fisher : {false, true}) {
          INFO(name << (fisher ? " in nats" : ""));
          const MergeRecipe recipe(models::find_merge(name));
          check(table_of(layer, projection, recipe, fisher), layer, projection, recipe, fisher);
        }
      }
    }
  }
}

}  // namespace

TEST_CASE("a residual cost is the residual of the merge that the operator makes") {
  for_each_table([](const ResidualCost& table, const RandomLayer& layer, Projection projection,
                    const MergeRecipe& recipe, bool fisher) {
    for (const unsigned set : {0b00011U, 0b10110U, 0b11111U}) {
      std::vector<int> members;
      for (const search::Head head : heads_of(set)) members.push_back(head.value());
      const models::SharedHead shared = models::shared_head(
          models::restrict_to(
              models::merge_problem(layer.source(), projection, recipe.merge->metric()), members),
          recipe);
      models::MergeProblem prices =
          models::merge_problem(layer.source(), projection, MergeMetric::kAttention);
      prices.weights = weights_of(layer, projection, fisher);
      prices = models::restrict_to(prices, members);
      CHECK(table.group_cost(heads_of(set)) ==
            Approx(models::residual(shared, prices.products, prices.weights)));
    }
    CHECK(table.group_cost(heads_of(0b00100U)) == 0);
  });
}

TEST_CASE("spectral bounds of residuals never exceed the least cost of as many groups") {
  for_each_table([](const ResidualCost& table, const RandomLayer&, Projection,
                    const MergeRecipe& recipe, bool fisher) {
    const std::vector<double> bounds = table.spectral_bounds();
    REQUIRE(bounds.size() == kHeads);
    const std::map<int, double> least = enumerated_costs(table);
    REQUIRE(least.size() == kHeads);
    for (const auto& [groups, cost] : least) {
      CHECK(bounds[static_cast<std::size_t>(groups - 1)] <= cost * (1 + 1e-9));
    }
    CHECK(bounds.back() == 0);
    // Of one group the optimal merge is the bound itself.
    if (recipe.merge->name() == "optimal" && !fisher) {
      CHECK(bounds.front() == Approx(least.at(1)));
      CHECK(bounds[1] > 0.01 * bounds[0]);
    }
  });
}

TEST_CASE("residuals claim to grow only where a group never costs less than its parts") {
  int claims = 0;
  for_each_table([&](const ResidualCost& table, const RandomLayer&, Projection,
                     const MergeRecipe& recipe, bool fisher) {
    CHECK(table.grows() == (recipe.merge->name() == "optimal" && !fisher));
    if (!table.grows()) return;
    ++claims;
    for (unsigned whole = 1; whole < 1U << kHeads; ++whole) {
      for (unsigned part = whole & (whole - 1); part > 0; part = (part - 1) & whole) {
        const double parts =
            table.group_cost(heads_of(part)) + table.group_cost(heads_of(whole & ~part));
        CHECK(table.group_cost(heads_of(whole)) >= parts * (1 - 1e-9) - 1e-12);
      }
    }
  });
  CHECK(claims == 6);
}

TEST_CASE("what a shared head costs its members adds up to the cost of the group") {
  for_each_table([](const ResidualCost& table, const RandomLayer&, Projection,
                    const MergeRecipe& recipe, bool) {
    const auto members = heads_of(0b10110U);
    if (recipe.merge->folds()) {
      CHECK_THROWS_AS(table.serving_cost(search::Head(1), members), InputError);
      return;
    }
    double sum = 0;
    for (const search::Head head : members) sum += table.serving_cost(head, members);
    CHECK(sum == Approx(table.group_cost(members)));
    const auto alone = heads_of(0b00010U);
    CHECK(table.serving_cost(search::Head(1), alone) == 0);
    CHECK(table.serving_cost(search::Head(0), alone) > 0);
  });
}

TEST_CASE("what a mean costs a head outside its group is measured on the data") {
  for (const RandomLayer& layer : layers()) {
    const int d = layer.config.head_dim;
    const int r = layer.config.queries_per_kv_head();
    const ResidualCost table = table_of(layer, Projection::kValues, MergeRecipe(), false);
    const bool centred = layer.weights.output_bias.size() > 0;
    for (const unsigned set : {0b00010U, 0b10110U}) {
      MatrixXd mean = MatrixXd::Zero(d, layer.weights.columns());
      const auto members = heads_of(set);
      for (const search::Head head : members) {
        mean += layer.weights.value.middleRows(head.value() * d, d) /
                static_cast<double>(members.size());
      }
      const MatrixXd error = layer.weights.value.middleRows(0, d) - mean;
      double expected = 0;
      const double count = layer.config.query_heads * 20.0;
      for (int reader = 0; reader < layer.config.query_heads; ++reader) {
        VectorXd about = VectorXd::Zero(layer.weights.columns());
        for (int token = 0; token < 20 && centred; ++token) {
          about += layer.averaged(token / 5, reader, token % 5) / 20;
        }
        for (int token = 0; token < 20; ++token) {
          const VectorXd z = layer.averaged(token / 5, reader, token % 5) - about;
          for (int query = 0; query < r; ++query) {
            expected += (layer.weights.output.middleCols(query * d, d) * error * z).squaredNorm();
          }
        }
      }
      CHECK(table.serving_cost(search::Head(0), members) == Approx(expected / count));
    }
  }
}

TEST_CASE("weights in nats follow their definition, each query head by its own sensitivity") {
  for (const RandomLayer& layer : layers()) {
    const int d = layer.config.head_dim;
    const int r = layer.config.queries_per_kv_head();
    const models::LayerGradients& gradients = *layer.moments.gradients;
    const HeadWeights keys = models::fisher_weights(layer.source(), Projection::kKeys);
    const HeadWeights values = models::fisher_weights(layer.source(), Projection::kValues);
    const models::HeadLayout layout = models::HeadLayout::of_keys(layer.config);
    REQUIRE(keys.planes.size() == layout.planes.size());
    for (int head = 0; head < kHeads; ++head) {
      const auto h = static_cast<std::size_t>(head);
      VectorXd planes = VectorXd::Zero(std::ssize(layout.planes));
      MatrixXd block = MatrixXd::Zero(layout.block_rows(), layout.block_rows());
      MatrixXd outputs = MatrixXd::Zero(d, d);
      for (int query = head * r; query < (head + 1) * r; ++query) {
        for (int token = 0; token < 20; ++token) {
          const VectorXd q =
              layer.weights.query.middleRows(query * d, d) * layer.input(token / 5, token % 5);
          const double sensitivity = gradients.logits[query] / 20;
          for (std::size_t p = 0; p < layout.planes.size(); ++p) {
            const auto [real, imaginary] = layout.planes[p];
            planes[static_cast<Eigen::Index>(p)] +=
                sensitivity * (q[real] * q[real] + q[imaginary] * q[imaginary]);
          }
          const VectorXd rest = q.tail(layout.block_rows());
          block += sensitivity * rest * rest.transpose();
        }
        const MatrixXd output = layer.weights.output.middleCols(query * d, d);
        outputs += output.transpose() * gradients.output * output;
      }
      // Half of the second-order price; residuals are 2d times a squared logit in a plane, d times
      // without rotation.
      for (std::size_t p = 0; p < layout.planes.size(); ++p) {
        CHECK(keys.planes[p][head] == Approx(planes[static_cast<Eigen::Index>(p)] / (4.0 * d)));
      }
      if (layout.block_rows() > 0) {
        CHECK((keys.block[h] - block / (2.0 * d)).norm() < 1e-10 * block.norm());
      }
      CHECK((values.block[h] - outputs / 2).norm() < 1e-10 * outputs.norm());
    }
  }
}

TEST_CASE("residual and fisher price whole models, keys and values together where joint") {
  TinyLlama shape;
  shape.query_heads = 8;
  shape.bias = true;
  const TemporaryDirectory scratch;
  shape.write(scratch.path());
  const auto pretrained =
      std::make_shared<const models::PretrainedModel>(models::open_model(scratch.path()));
  const models::LanguageModel model(pretrained, models::ComputeOptions{});
  search::RandomStream random{search::RandomKey(12)};
  std::vector<std::int32_t> ids(9 * 8);
  for (std::int32_t& id : ids) id = random.below(20);
  const models::Windows windows(8, std::move(ids));
  search::SilentProgress silent;
  const models::Calibration plain = model.calibrate(windows, {}, {}, silent);
  const models::Calibration full =
      model.calibrate(windows, {.gradient_key = search::RandomKey(1)}, {}, silent);
  for (const char* merge : {"mean", "optimal"}) {
    const MergeRecipe recipe(models::find_merge(merge));
    for (const bool fisher : {false, true}) {
      const Fitness& fitness = find_fitness(fisher ? "fisher" : "residual");
      const auto costs = fitness.layer_costs({*pretrained, &full, recipe, {}, silent});
      REQUIRE(costs.size() == 2);
      for (std::size_t layer = 0; layer < 2; ++layer) {
        const models::AttentionMatrices matrices =
            models::read_attention_matrices(*pretrained, static_cast<int>(layer));
        const models::MergeSource source{matrices, pretrained->config, &full.layers[layer]};
        const auto by_hand = [&](Projection projection, const search::Partition& partition) {
          const auto weights = fisher ? models::fisher_weights(source, projection)
                                      : models::head_weights(source, projection);
          return ResidualCost(models::merge_problem(source, projection, recipe.merge->metric()),
                              models::head_products(source, projection, MergeMetric::kAttention),
                              weights, recipe)
              .partition_cost(partition);
        };
        search::for_each_partition(4, [&](const search::Partition& partition) {
          const double keys = by_hand(Projection::kKeys, partition);
          const double values = by_hand(Projection::kValues, partition);
          CHECK(costs[layer].keys->partition_cost(partition) == Approx(keys));
          CHECK(costs[layer].values->partition_cost(partition) == Approx(values));
          CHECK(costs[layer].joint->partition_cost(partition) == Approx(keys + values));
          if (partition.groups() < 4) CHECK(keys + values > 0);
        });
      }
    }
  }
  const MergeRecipe mean;
  for (const char* name : {"residual", "fisher"}) {
    CHECK_THROWS_AS(find_fitness(name).layer_costs({*pretrained, nullptr, mean, {}, silent}),
                    WorkError);
  }
  CHECK_THROWS_AS(find_fitness("fisher").layer_costs({*pretrained, &plain, mean, {}, silent}),
                  WorkError);
  CHECK(provides(&plain, find_fitness("residual").needs()));
  CHECK_FALSE(provides(&plain, find_fitness("fisher").needs()));
  CHECK(provides(&full, find_fitness("fisher").needs()));
  CHECK_FALSE(provides(nullptr, find_fitness("residual").needs()));
}
