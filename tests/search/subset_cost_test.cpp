// Tables that price groups when they are asked for, sums of tables, and what bounds them.

#include <algorithm>
#include <cmath>

#include "search/base/error.hpp"
#include "search/base/parallel.hpp"
#include "search/costs/descent.hpp"
#include "search/costs/gram_cost.hpp"
#include "search/costs/pair_sketch.hpp"
#include "search/costs/spectral_relaxation.hpp"
#include "search/costs/subset_cost.hpp"
#include "search/costs/sum_cost.hpp"
#include "search/exact/branch_and_bound.hpp"
#include "search/exact/certify.hpp"
#include "search/exact/good_partitions.hpp"
#include "search/exact/subset_dp.hpp"
#include "search/problem/enumeration.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/direction_cost.hpp"
#include "tests/support/near.hpp"
#include "tests/support/random_tables.hpp"
#include "tests/support/run_method.hpp"

using namespace regroup;
using namespace regroup::search;
using namespace regroup::tests;

namespace {

std::vector<Head> heads_of(std::initializer_list<int> ids) {
  std::vector<Head> heads;
  for (const int id : ids) heads.emplace_back(id);
  return heads;
}

/// A price that names its heads, for tables of any size; −1, NaN or an exception on demand.
class NamedCost : public SubsetCost {
 public:
  explicit NamedCost(int heads) : SubsetCost(heads) {}
  double bad_price = 0;
  mutable bool fails = false;

 protected:
  double compute_cost(std::span<const Head> members) const override {
    if (fails) throw WorkError({.what = "no memory"});
    if (bad_price != 0) return bad_price;
    double cost = 0;
    for (const Head head : members) cost = 3 * cost + head.value() + 1;
    return cost;
  }
};

/// Another table's costs without its sketch.
class PlainCost : public CostTable {
 public:
  explicit PlainCost(const CostTable& table) : table_(table) {}
  int heads() const override { return table_.heads(); }
  double group_cost(std::span<const Head> members) const override {
    return table_.group_cost(members);
  }

 private:
  const CostTable& table_;
};

/// As many as there are pairs of heads in a group: no group of parts costs less than in pairs.
class PairingCost : public CostTable {
 public:
  explicit PairingCost(int heads) : heads_(heads) {}
  int heads() const override { return heads_; }
  double group_cost(std::span<const Head> members) const override {
    return static_cast<double>(members.size() / 2);
  }
  bool grows() const override { return true; }

 private:
  int heads_;
};

/// Least cost with so many groups, by enumeration.
double least_cost(const CostTable& table, int groups) {
  return enumerated_costs(table).at(groups);
}

}  // namespace

TEST_CASE("a group is priced once, whatever the order of its members") {
  const DirectionCost table(6, 8, RandomKey(1));
  const double cost = table.group_cost(heads_of({4, 1, 3}));
  CHECK(cost > 0);
  CHECK(table.group_cost(heads_of({1, 3, 4})) == cost);
  CHECK(table.group_cost(heads_of({3, 4, 1})) == cost);
  CHECK(table.priced() == 1);
  CHECK(table.computed() == 1);
  CHECK(table.group_cost(heads_of({1, 3})) != cost);
  CHECK(table.priced() == 2);
}

TEST_CASE("heads alone and no heads cost nothing and are not priced") {
  const NamedCost table(3);
  CHECK(table.group_cost(heads_of({2})) == 0);
  CHECK(table.group_cost({}) == 0);
  CHECK(table.partition_cost(Partition::singletons(3)) == 0);
  CHECK(table.priced() == 0);
}

TEST_CASE("groups of any heads up to the most are told apart") {
  for (const int heads : {16, 17, 64, 65, Partition::kMaxHeads}) {
    const NamedCost table(heads);
    std::size_t pairs = 0;
    for (int round = 0; round < 2; ++round) {
      for (int a = 0; a<heads; a += heads> 100 ? 31 : 1) {
        for (int b = a + 1; b < heads; ++b) {
          REQUIRE(table.group_cost(heads_of({b, a})) == 3 * (a + 1) + b + 1);
          pairs += round == 0;
        }
      }
    }
    CHECK(table.priced() == pairs);
  }
  CHECK_THROWS_AS(NamedCost(0), InputError);
  CHECK_THROWS_AS(NamedCost(Partition::kMaxHeads + 1), InputError);
}

TEST_CASE("a price that is not a cost is refused, and a failed one can be tried again") {
  for (const double bad : {-1.0, std::nan(""), std::numeric_limits<double>::infinity()}) {
    NamedCost table(4);
    table.bad_price = bad;
    CHECK_THROWS_AS(table.group_cost(heads_of({0, 1})), WorkError);
    CHECK(table.priced() == 0);
  }
  const NamedCost table(4);
  table.fails = true;
  CHECK_THROWS_AS(table.group_cost(heads_of({0, 1})), WorkError);
  table.fails = false;
  CHECK(table.group_cost(heads_of({0, 1})) == 5);
  CHECK(table.priced() == 1);
}

TEST_CASE("threads that share a table see the prices of one thread") {
  const DirectionCost alone(10, 8, RandomKey(2));
  const DirectionCost shared(10, 8, RandomKey(2));
  const auto members = [](std::size_t set) {
    std::vector<Head> heads;
    for (int h = 0; h < 10; ++h) {
      if ((set >> h & 1) != 0) heads.emplace_back(h);
    }
    return heads;
  };
  std::atomic<int> wrong{0};
  set_threads(4);
  // Every set from four places at about the same time.
  parallel_for(4096, [&](std::size_t i) {
    const std::vector<Head> heads = members(i / 4);
    wrong += shared.group_cost(heads) != alone.group_cost(heads);
  });
  set_threads(1);
  CHECK(wrong == 0);
  CHECK(shared.priced() == 1024 - 11);
  CHECK(alone.priced() == 1024 - 11);
}

TEST_CASE("a sum of tables prices and bounds what its parts do, weighted") {
  const auto a = std::make_shared<DirectionCost>(7, 8, RandomKey(3));
  const Eigen::MatrixXd vectors = random_vectors(7, 4, RandomKey(4));
  const auto b = std::make_shared<GramCost>(vectors * vectors.transpose());
  const SumCost sum({{a, 0.5}, {b, 2}});
  const std::vector<Head> group = heads_of({0, 2, 5});
  CHECK(sum.heads() == 7);
  CHECK(sum.group_cost(group) == Approx(0.5 * a->group_cost(group) + 2 * b->group_cost(group)));
  CHECK(sum.grows());
  const auto relaxation = sum.relaxation();
  const auto all = PartitionSubset::all(7);
  int at_parts = 0;
  for (int groups = 2; groups < 7; ++groups) {
    const double bound = relaxation->relax(all, groups, 1e300, 50).bound;
    const double parts = 0.5 * a->relaxation()->relax(all, groups, 1e300, 50).bound +
                         2 * b->relaxation()->relax(all, groups, 1e300, 50).bound;
    CHECK(bound >= parts * (1 - 1e-12));
    at_parts += bound <= parts * (1 + 1e-12);
    CHECK(bound > 0);
    CHECK(bound <= least_cost(sum, groups) + 1e-12);
  }
  CHECK(at_parts > 0);
  CHECK(at_parts < 5);
  const auto shrinking = std::make_shared<RandomAdditive>(7, false, RandomKey(5));
  CHECK_FALSE(SumCost({{a, 1}, {shrinking, 1}}).grows());
  CHECK_THROWS_AS(sum.serving_cost(Head(0), group), InputError);
  CHECK(SumCost({{b, 2}}).serving_cost(Head(1), group) ==
        Approx(2 * b->serving_cost(Head(1), group)));
}

TEST_CASE("sums of nothing, of unlike tables and with wrong weights are refused") {
  const auto table = std::make_shared<DirectionCost>(4, 3, RandomKey(6));
  const auto larger = std::make_shared<DirectionCost>(5, 3, RandomKey(6));
  using Parts = std::vector<WeightedTable>;
  CHECK_THROWS_AS(SumCost(Parts{}), InputError);
  CHECK_THROWS_AS(SumCost(Parts{{table, 1}, {larger, 1}}), InputError);
  CHECK_THROWS_AS(SumCost(Parts{{table, -1}}), InputError);
  CHECK_THROWS_AS(SumCost(Parts{{table, std::nan("")}}), InputError);
}

TEST_CASE(
    "a spectral bound holds for every part of the partitions and is used where it is larger") {
  int spectral = 0;
  int blocks = 0;
  for (std::uint64_t draw = 0; draw < 20; ++draw) {
    const DirectionCost table(7, 4, RandomKey(7).split(draw));
    const auto relaxation = table.relaxation();
    const auto bounds = table.bounds();
    RandomStream random(RandomKey(8).split(draw));
    PartitionSubset subset = PartitionSubset::all(7);
    while (subset.blocks.size() > 4) {
      auto& target = subset.blocks[random.below(subset.blocks.size() - 1)];
      target.insert(target.end(), subset.blocks.back().begin(), subset.blocks.back().end());
      subset.blocks.pop_back();
      double joined = 0;
      for (const auto& block : subset.blocks) joined += table.group_cost(block);
      for (int groups = 1; groups <= static_cast<int>(subset.blocks.size()); ++groups) {
        double least = 1e300;
        for_each_partition(7, [&](const Partition& partition) {
          if (partition.groups() != groups) return;
          const bool keeps = std::ranges::all_of(subset.blocks, [&](const auto& block) {
            return std::ranges::all_of(block, [&](Head head) {
              return partition.group_of(head) == partition.group_of(block[0]);
            });
          });
          if (keeps) least = std::min(least, table.partition_cost(partition));
        });
        const double whole = bounds[static_cast<std::size_t>(groups - 1)];
        const double bound = relaxation->relax(subset, groups, 1e300, 0).bound;
        CHECK(bound >= std::max(whole, joined * (1 - 1e-11)));
        CHECK(bound <= least + 1e-12);
        spectral += bound == whole;
        blocks += bound > 1.05 * std::max(whole, joined);
      }
    }
  }
  CHECK(spectral > 20);
  CHECK(blocks > 20);
  const DirectionCost table(4, 3, RandomKey(9));
  CHECK_THROWS_AS(SpectralRelaxation(table, {1, 2, 3}), InputError);
}

TEST_CASE("the bound from unions of two blocks is exact where pairs are all that costs") {
  for (int heads = 2; heads <= 8; ++heads) {
    const PairingCost table(heads);
    const auto relaxation = table.relaxation();
    const auto all = PartitionSubset::all(heads);
    CHECK(relaxation->relax(all, 1, 1e300, 0).bound == Approx(heads / 2));
    for (int groups = 1; groups < heads; ++groups) {
      CHECK(relaxation->relax(all, groups, 1e300, 0).bound <= least_cost(table, groups));
    }
  }
}

TEST_CASE("branch and bound proves costly tables and their sums as enumeration does") {
  const auto a = std::make_shared<DirectionCost>(8, 4, RandomKey(10));
  const auto b = std::make_shared<DirectionCost>(8, 4, RandomKey(11));
  const SumCost sum({{a, 1}, {b, 1}});
  for (const CostTable* table :
       {static_cast<const CostTable*>(a.get()), static_cast<const CostTable*>(&sum)}) {
    const auto relaxation = table->relaxation();
    for (int groups = 1; groups <= 8; ++groups) {
      BranchAndBound tree(*table, *relaxation, Partition::neighbours(8, groups), {});
      tree.explore(100'000, {});
      CHECK(tree.result().is_optimal);
      CHECK(tree.result().cost == near(least_cost(*table, groups), 1e-9));
    }
  }
}

TEST_CASE("subsets are priced once each, in parallel as alone") {
  UnitFront fronts[2];
  for (const int threads : {1, 3}) {
    const DirectionCost table(9, 6, RandomKey(12));
    set_threads(threads);
    fronts[threads / 3] = subset_dp(table, GroupSizes::kArbitrary);
    CHECK(table.computed() == 512 - 10);
    for (const FrontMember& member : fronts[threads / 3]) {
      CHECK(member.cost == near(least_cost(table, member.partition.groups()), 1e-12));
    }
  }
  set_threads(1);
  REQUIRE(fronts[0].size() == fronts[1].size());
  for (std::size_t i = 0; i < fronts[0].size(); ++i) {
    CHECK(fronts[0][i].partition == fronts[1][i].partition);
    CHECK(fronts[0][i].cost == fronts[1][i].cost);
  }
}

TEST_CASE("a sketch is exact for pairs and for squared distances") {
  const DirectionCost table(6, 8, RandomKey(13));
  const auto sketch = table.sketch();
  REQUIRE(sketch);
  CHECK(table.priced() == 15);
  for (int a = 1; a < 6; ++a) {
    const std::vector<Head> pair = heads_of({a, 0});
    CHECK(sketch->group_cost(pair) == Approx(table.group_cost(pair)));
  }
  const Eigen::MatrixXd vectors = random_vectors(6, 4, RandomKey(14));
  const GramCost gram(vectors * vectors.transpose());
  const std::vector<Head> group = heads_of({0, 1, 4, 5});
  CHECK(pair_sketch(gram).group_cost(group) == Approx(gram.group_cost(group)));
  CHECK(gram.sketch() == nullptr);
  const auto part = std::make_shared<DirectionCost>(6, 8, RandomKey(13));
  const SumCost sum({{part, 1}, {std::make_shared<GramCost>(gram), 1}});
  CHECK(sum.sketch()->group_cost(heads_of({2, 3})) == Approx(sum.group_cost(heads_of({2, 3}))));
  CHECK(SumCost({{std::make_shared<GramCost>(gram), 1}}).sketch() == nullptr);
}

TEST_CASE("a descent over a costly table goes down and keeps groups and sizes") {
  const DirectionCost table(14, 5, RandomKey(15));
  for (int groups = 2; groups < 14; groups += 3) {
    const Partition start = Partition::neighbours(14, groups);
    const Partition moved = descend(table, start, DescentMoves::kMovesAndSwaps);
    CHECK(moved.groups() == groups);
    CHECK(table.partition_cost(moved) < table.partition_cost(start));
  }
  const Partition start = Partition::neighbours(14, 7);
  const Partition swapped = descend(table, start, DescentMoves::kSwaps);
  CHECK(swapped.has_equal_sizes());
  CHECK(table.partition_cost(swapped) < table.partition_cost(start));
}

TEST_CASE("a descent that a sketch has ranked all steps of is the one without it") {
  // A head of 7 has at most 12 steps, as many as are priced.
  for (std::uint64_t draw = 0; draw < 20; ++draw) {
    const DirectionCost table(7, 3, RandomKey(19).split(draw));
    for (int groups = 2; groups < 7; ++groups) {
      const Partition start = Partition::neighbours(7, groups);
      for (const auto moves : {DescentMoves::kMovesAndSwaps, DescentMoves::kSwaps}) {
        CHECK(descend(table, start, moves) == descend(PlainCost(table), start, moves));
      }
    }
  }
}

TEST_CASE("good partitions of a costly table come near the best and price few groups") {
  const DirectionCost table(12, 5, RandomKey(16));
  std::vector<int> counts;
  for (int groups = 1; groups <= 12; ++groups) counts.push_back(groups);
  const UnitFront good = good_partitions(table, counts, GroupSizes::kArbitrary, RandomKey(1));
  CHECK(table.priced() < 2000);
  const UnitFront best = subset_dp(table, GroupSizes::kArbitrary);
  const double scale = best.front().cost;
  for (std::size_t i = 0; i < 12; ++i) {
    CHECK(good[i].cost == table.partition_cost(good[i].partition));
    CHECK(good[i].cost <= best[i].cost + 0.01 * scale);
  }
}

TEST_CASE("solvers of large costly layers price few groups, the same ones for many threads") {
  std::vector<ProvenUnit> found[2];
  for (const int threads : {1, 3}) {
    set_threads(threads);
    const CostlyProblem costly(2, 20, RandomKey(17));
    const QuietContext context(1);
    found[threads / 3] = solve_units(costly.problem(), {}, *context);
    for (const auto& table : costly.tables) CHECK(table->priced() < 20'000);
  }
  set_threads(1);
  for (const std::size_t u : {0, 1}) {
    REQUIRE(found[0][u].size() == 20);
    REQUIRE(found[1][u].size() == 20);
    for (std::size_t i = 0; i < 20; ++i) {
      const BoundedPartition& member = found[0][u][i];
      CHECK(member.partition == found[1][u][i].partition);
      CHECK(member.bound == found[1][u][i].bound);
      CHECK(member.bound <= member.cost);
      if (member.partition.groups() < 20) CHECK(member.bound > 0);
    }
  }
}

TEST_CASE("every subset of small costly layers is priced once, for one thread and many") {
  std::vector<ProvenUnit> found[2];
  for (const int threads : {1, 3}) {
    set_threads(threads);
    const CostlyProblem costly(2, 8, RandomKey(18));
    const QuietContext context(1);
    found[threads / 3] = solve_units(costly.problem(), {}, *context);
    for (const auto& table : costly.tables) CHECK(table->computed() == 256 - 9);
  }
  set_threads(1);
  for (const std::size_t u : {0, 1}) {
    REQUIRE(found[0][u].size() == 8);
    REQUIRE(found[1][u].size() == 8);
    for (std::size_t i = 0; i < 8; ++i) {
      CHECK(found[0][u][i].is_optimal);
      CHECK(found[0][u][i].partition == found[1][u][i].partition);
    }
  }
}
