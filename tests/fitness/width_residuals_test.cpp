// Costs of groups of several widths from one decomposition each: what they are when every width is
// priced by itself.

#include "fitness/width_residuals.hpp"

#include "fitness/residual_cost.hpp"
#include "fitness/wide_cost.hpp"
#include "models/merge/operators/merge_table.hpp"
#include "tests/fixtures/random_layer.hpp"
#include "tests/support/catch.hpp"

using namespace regroup;
using namespace regroup::fitness;
using namespace regroup::tests;
using models::Projection;

namespace {

constexpr int kHeads = 6;

/// The tables of one projection that price every width by itself, and those that share.
struct Tables {
  Tables(const RandomLayer& layer, Projection projection) {
    const models::MergeRecipe recipe(models::find_merge("optimal"));
    const auto problem = [&] {
      return models::merge_problem(layer.source(), projection, models::MergeMetric::kAttention);
    };
    const models::HeadWeights prices = models::fisher_weights(layer.source(), projection);
    alone = std::make_shared<const ResidualCost>(problem(), std::nullopt, prices, recipe);
    sharing = std::make_shared<const ResidualCost>(problem(), std::nullopt, prices, recipe,
                                                   std::vector<int>{1, 2, 3});
  }

  std::shared_ptr<const ResidualCost> alone, sharing;
};

std::vector<search::Head> heads_of(unsigned set) {
  std::vector<search::Head> heads;
  for (int head = 0; head < kHeads; ++head) {
    if ((set >> head & 1U) != 0) heads.emplace_back(head);
  }
  return heads;
}

RandomLayer layer_with(int rotary_dimensions, std::uint64_t seed) {
  return RandomLayer({.rotary = {rotary_dimensions, models::RotaryLayout::kHalfSplit, 100, {}},
                      .kv_heads = kHeads,
                      .queries_per_kv_head = 2,
                      .width = 30,
                      .seed = seed});
}

}  // namespace

TEST_CASE("wide groups cost the same whether their eigenvectors are shared or not") {
  for (const Projection projection : {Projection::kKeys, Projection::kValues}) {
    const RandomLayer layer = layer_with(4, 5);
    const Tables tables(layer, projection);
    for (const int multiple : {2, 3}) {
      const WideCost alone(tables.alone, multiple);
      const WideCost sharing(tables.sharing, multiple);
      for (unsigned set = 1; set < 1U << kHeads; ++set) {
        const auto members = heads_of(set);
        const double cost = sharing.group_cost(members);
        CHECK(cost == alone.group_cost(members));
        CHECK(cost <= tables.alone->group_cost(members) * (1 + 1e-9));
        if (static_cast<int>(members.size()) > multiple) CHECK(cost > 0);
      }
    }
  }
}

TEST_CASE("groups of one head's width cost the same, to rounding, from shared eigenvectors") {
  const RandomLayer layer = layer_with(0, 6);
  for (const Projection projection : {Projection::kKeys, Projection::kValues}) {
    const Tables tables(layer, projection);
    for (unsigned set = 3; set < 1U << kHeads; ++set) {
      const double expected = tables.alone->group_cost(heads_of(set));
      CHECK(tables.sharing->group_cost(heads_of(set)) == Approx(expected).epsilon(1e-10));
    }
  }
}
