// Units whose groups are too dear to price them all: searched by a sketch, what is found is priced.

#include "search/costs/pricing_work.hpp"

#include <cmath>
#include <limits>

#include "search/base/parallel.hpp"
#include "search/costs/descent.hpp"
#include "search/exact/certify.hpp"
#include "search/exact/exact_units.hpp"
#include "search/exact/good_partitions.hpp"
#include "search/exact/subset_dp.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/direction_cost.hpp"
#include "tests/support/random_tables.hpp"
#include "tests/support/run_method.hpp"

using namespace regroup;
using namespace regroup::search;
using namespace regroup::tests;

namespace {

constexpr int kHeads = 10;
/// Of each member of a group: all 2¹⁰ are out of reach, a few hundred are not.
constexpr double kWork = 1e10;

/// Best costs by number of groups of a unit without the claim to be dear.
UnitFront best_of(const RandomKey& key) {
  const CostlyProblem cheap(1, kHeads, key);
  return subset_dp(*cheap.problem().units()[0].costs, GroupSizes::kArbitrary);
}

}  // namespace

TEST_CASE("the work of all groups counts every subset of two heads and more") {
  CHECK(work_of_all_groups(1, [](int) { return 1.0; }) == 0);
  CHECK(work_of_all_groups(4, [](int) { return 1.0; }) == 16 - 1 - 4);
  // Σ m C(n, m) = n 2ⁿ⁻¹, singletons among them.
  CHECK(work_of_all_groups(9, [](int members) { return members; }) == 9 * 256 - 9);
  CHECK(work_of_all_groups(128, [](int) { return 1.0; }) == Approx(std::ldexp(1.0, 128)));
}

TEST_CASE("tables are costly, and no longer small, by their work") {
  const DirectionCost cheap(kHeads, 5, RandomKey(1), 1e8);
  const DirectionCost dear(kHeads, 5, RandomKey(1), kWork);
  CHECK_FALSE(is_costly(cheap));
  CHECK(is_small(cheap));
  CHECK(is_costly(dear));
  CHECK_FALSE(is_small(dear));
  CHECK_FALSE(is_small(DirectionCost(kMostSubsetHeads + 1, 5, RandomKey(1))));
  // Of a sum all parts count.
  const CostlyProblem halves(1, kHeads, RandomKey(1), 4e8);
  CHECK_FALSE(is_costly(*halves.tables[0]));
  CHECK(is_costly(*halves.problem().units()[0].costs));
}

TEST_CASE("a descent looks at no more steps than its work allows") {
  const Partition start = Partition::neighbours(kHeads, 4);
  double last = std::numeric_limits<double>::infinity();
  bool improves = false;
  for (const double most : {0.0, 20.0, 60.0, 200.0, 1e9}) {
    const DirectionCost table(kHeads, 5, RandomKey(2), 1);
    const double begin = table.partition_cost(start);
    const double pairs = kHeads * (kHeads - 1) / 2;
    const Partition found = descend(table, start, DescentMoves::kMovesAndSwaps, most);
    // A group that a step changes has two members at least and claims their number.
    CHECK(static_cast<double>(table.computed()) <= pairs + 4 + most / 2);
    CHECK(table.partition_cost(found) <= last);
    last = table.partition_cost(found);
    improves = improves || last < begin;
    if (most == 0) CHECK(found == start);
  }
  CHECK(improves);
}

TEST_CASE("stage 1 of a costly unit evolves by the sketch and prices what it found") {
  std::size_t found_best = 0;
  for (std::uint64_t draw = 0; draw < 4; ++draw) {
    const RandomKey key = RandomKey(3).split(draw);
    const CostlyProblem costly(1, kHeads, key, kWork);
    const GroupingProblem problem = costly.problem();
    const MethodResult result = run_method("qcqa", problem, 1);
    // Every generation's groups would be nearly all 1013 subsets.
    CHECK(costly.tables[0]->computed() < 600);
    const UnitFront best = best_of(key);
    const double scale = best.front().cost;
    REQUIRE(result.units[0].size() == kHeads);
    for (const FrontMember& member : result.units[0]) {
      const auto groups = static_cast<std::size_t>(member.partition.groups());
      CHECK(member.cost == problem.units()[0].costs->partition_cost(member.partition));
      CHECK(member.cost >= best[groups - 1].cost * (1 - 1e-12));
      CHECK(member.cost <= best[groups - 1].cost + 0.05 * scale);
      if (member.cost <= best[groups - 1].cost * (1 + 1e-12)) ++found_best;
    }
  }
  CHECK(found_best > 2 * kHeads);
}

TEST_CASE("costly units have good partitions and bounds for few prices") {
  const RandomKey key(4);
  const CostlyProblem costly(1, kHeads, key, kWork);
  const GroupingProblem problem = costly.problem();
  const QuietContext context(1);
  const std::vector<ProvenUnit> bounded = bound_units(problem, GroupSizes::kArbitrary, *context);
  // Pairs, the neighbours' groups, and no search.

  CHECK(costly.tables[0]->computed() < 100);
  const std::vector<ProvenUnit> solved = solve_units(problem, {.nodes = 1}, *context);
  CHECK(costly.tables[0]->computed() < 700);
  const UnitFront best = best_of(key);
  for (std::size_t i = 0; i < kHeads; ++i) {
    for (const BoundedPartition& member : {bounded[0][i], solved[0][i]}) {
      CHECK(member.bound <= best[i].cost * (1 + 1e-9));
      CHECK(member.cost >= best[i].cost * (1 - 1e-9));
    }
    CHECK(solved[0][i].cost <= best[i].cost + 0.05 * best.front().cost);
  }
}

TEST_CASE("costly units give the same front for one thread and many") {
  std::vector<UnitFront> fronts[2];
  for (const int threads : {1, 3}) {
    set_threads(threads);
    fronts[threads / 3] =
        run_method("qcqa", CostlyProblem(3, kHeads, RandomKey(5), kWork).problem(), 2).units;
  }
  set_threads(1);
  REQUIRE(fronts[0].size() == 3);
  for (std::size_t u = 0; u < 3; ++u) {
    REQUIRE(fronts[0][u].size() == fronts[1][u].size());
    for (std::size_t i = 0; i < fronts[0][u].size(); ++i) {
      CHECK(fronts[0][u][i].partition == fronts[1][u][i].partition);
      CHECK(fronts[0][u][i].cost == fronts[1][u][i].cost);
    }
  }
}
