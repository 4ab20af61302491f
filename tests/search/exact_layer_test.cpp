// The exact solvers of one layer against enumeration of all partitions.

#include <memory>

#include "search/base/error.hpp"
#include "search/costs/descent.hpp"
#include "search/costs/gram_cost.hpp"
#include "search/costs/gram_relaxation.hpp"
#include "search/exact/branch_and_bound.hpp"
#include "search/exact/good_partitions.hpp"
#include "search/exact/piecewise.hpp"
#include "search/exact/subset_dp.hpp"
#include "search/problem/enumeration.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/near.hpp"
#include "tests/support/random_tables.hpp"

using namespace regroup;
using namespace regroup::search;
using namespace regroup::tests;

namespace {

struct NamedTable {
  std::string name;
  std::shared_ptr<const CostTable> table;
};

/// Heads in few dimensions, copies of few heads, nearly orthogonal heads of unequal norms, and
/// tables that come from no vectors.
std::vector<NamedTable> tables(int heads) {
  const RandomKey key = RandomKey(31).split(static_cast<std::uint64_t>(heads));
  const auto gram = [](const Eigen::MatrixXd& vectors) {
    return std::make_shared<GramCost>(vectors * vectors.transpose());
  };
  const Eigen::MatrixXd few = random_vectors(heads, 3, key.split(0));
  Eigen::MatrixXd copies = few;
  for (Eigen::Index h = 0; h < heads; ++h) copies.row(h) = few.row(h / 3);
  Eigen::MatrixXd orthogonal = random_vectors(heads, 600, key.split(1));
  for (Eigen::Index h = 0; h < heads; ++h) orthogonal.row(h) *= 1 + 0.2 * static_cast<double>(h);
  return {{"few dimensions", gram(few)},
          {"copies", gram(copies)},
          {"nearly orthogonal", gram(orthogonal)},
          {"without structure", std::make_shared<RandomAdditive>(heads, false, key.split(2))},
          {"growing", std::make_shared<RandomAdditive>(heads, true, key.split(3))}};
}

/// Tables of vectors only: their relaxation is not that of blocks.
bool is_gram(const CostTable& table) {
  return dynamic_cast<const GramCost*>(&table) != nullptr;
}

/// Branch and bound from the neighbours, without a limit.
BoundedPartition solve(const CostTable& table, int groups, const BranchOptions& options,
                       std::size_t nodes = 1'000'000) {
  const auto relaxation = table.relaxation();
  BranchAndBound tree(table, *relaxation, Partition::neighbours(table.heads(), groups), options);
  tree.explore(nodes, {});
  return tree.result();
}

/// The cheapest partition with so many groups, by enumeration.
Partition enumerated_best(const CostTable& table, int groups) {
  Partition best = Partition::neighbours(table.heads(), groups);
  for_each_partition(table.heads(), [&](const Partition& partition) {
    if (partition.groups() != groups) return;
    if (table.partition_cost(partition) < table.partition_cost(best)) best = partition;
  });
  return best;
}

/// A relaxation that claims too much.
class LyingRelaxation : public Relaxation {
 public:
  RelaxedSubset relax(const PartitionSubset&, int, double cutoff, int) const override {
    return {cutoff + 1, {0, 1}, nullptr};
  }
};

}  // namespace

TEST_CASE("dynamic programming over subsets equals enumeration") {
  for (int heads = 1; heads <= 10; ++heads) {
    for (const auto& [name, table] : tables(heads)) {
      INFO(name << ", " << heads << " heads");
      for (const bool equal : {false, true}) {
        const auto exact = enumerated_costs(*table, equal);
        const UnitFront found =
            subset_dp(*table, equal ? GroupSizes::kEqual : GroupSizes::kArbitrary);
        REQUIRE(found.size() == exact.size());
        for (const FrontMember& member : found) {
          CHECK(member.cost == near(exact.at(member.partition.groups()), 1e-12));
          CHECK(table->partition_cost(member.partition) == near(member.cost, 1e-12));
          if (equal) CHECK(member.partition.has_equal_sizes());
        }
      }
    }
  }
}

TEST_CASE("subsets of too many heads are refused") {
  CHECK_THROWS_AS(subset_dp(RandomAdditive(17, false, RandomKey(1)), GroupSizes::kArbitrary),
                  InputError);
}

TEST_CASE("branch and bound equals enumeration and never prunes the optimum") {
  for (int heads = 2; heads <= 10; ++heads) {
    for (const auto& [name, table] : tables(heads)) {
      if (!is_gram(*table) && heads > 7) continue;  // little to bound with: nearly all is looked at
      const double one_group = table->partition_cost(Partition::one_group(heads));
      for (const auto& [groups, cost] : enumerated_costs(*table)) {
        INFO(name << ", " << heads << " heads, " << groups << " groups");
        BranchOptions options;
        options.tolerance = 1e-9 * one_group;
        options.planted = enumerated_best(*table, groups);
        const BoundedPartition found = solve(*table, groups, options);
        CHECK(found.is_optimal);
        CHECK(found.cost == near(cost, 1e-9 * one_group + 1e-12));
        CHECK(found.bound <= cost + 1e-12);
        CHECK(found.partition.groups() == groups);
      }
    }
  }
}

TEST_CASE("branch and bound keeps to equal sizes") {
  for (const auto& [name, table] : tables(8)) {
    for (const auto& [groups, cost] : enumerated_costs(*table, true)) {
      BranchOptions options;
      options.sizes = GroupSizes::kEqual;
      const BoundedPartition found = solve(*table, groups, options);
      INFO(name << ", " << groups << " groups");
      CHECK(found.partition.has_equal_sizes());
      CHECK(found.cost == near(cost, 1e-9));
    }
  }
}

TEST_CASE("a bound that is too high is found out by a planted partition") {
  const auto [name, table] = tables(8).front();
  const LyingRelaxation lying;
  BranchOptions options;
  options.planted = enumerated_best(*table, 3);
  REQUIRE(table->partition_cost(*options.planted) <
          table->partition_cost(Partition::neighbours(8, 3)));
  BranchAndBound tree(*table, lying, Partition::neighbours(8, 3), options);
  CHECK_THROWS_AS(tree.explore(10, {}), WorkError);
}

TEST_CASE("a budget of nodes leaves a valid bound and says that nothing is proven") {
  const Eigen::MatrixXd vectors = random_vectors(20, 4, RandomKey(32));
  const GramCost table(vectors * vectors.transpose());
  const UnitFront good = good_partitions(table, {6}, GroupSizes::kArbitrary, RandomKey(1));
  const auto relaxation = table.relaxation();
  BranchAndBound tree(table, *relaxation, good[0].partition, {});
  CHECK(tree.result().bound == 0);
  tree.explore(1, {});
  const BoundedPartition first = tree.result();
  tree.explore(15, {});
  const BoundedPartition later = tree.result();
  tree.explore(100'000, {});
  const BoundedPartition proven = tree.result();
  CHECK_FALSE(first.is_optimal);
  CHECK(first.nodes == 1);
  CHECK(first.gap() > 0);
  CHECK(later.bound >= first.bound);
  CHECK(proven.is_optimal);
  CHECK(proven.bound >= later.bound);
  CHECK(proven.cost >= first.bound);
}

TEST_CASE("a stop ends a branch and bound") {
  const Eigen::MatrixXd vectors = random_vectors(20, 4, RandomKey(32));
  const GramCost table(vectors * vectors.transpose());
  const auto relaxation = table.relaxation();
  BranchAndBound tree(table, *relaxation, Partition::neighbours(20, 6), {});
  std::stop_source stop;
  stop.request_stop();
  CHECK_THROWS_AS(tree.explore(1000, stop.get_token()), Interrupted);
}

TEST_CASE("relaxations bound every part of the partitions from below") {
  for (int heads = 2; heads <= 8; ++heads) {
    for (const auto& [name, table] : tables(heads)) {
      const auto relaxation = table->relaxation();
      RandomStream random(RandomKey(33).split(static_cast<std::uint64_t>(heads)));
      for (int draw = 0; draw < 10; ++draw) {
        // Some heads joined, one pair apart.
        PartitionSubset subset = PartitionSubset::all(heads);
        while (subset.blocks.size() > 2 && random.chance(0.5)) {
          std::vector<Head>& first = subset.blocks[0];
          first.insert(first.end(), subset.blocks.back().begin(), subset.blocks.back().end());
          subset.blocks.pop_back();
        }
        subset.apart = {{subset.blocks[0][0], subset.blocks[1][0]}};
        const auto is_in = [&](const Partition& partition) {
          for (const auto& block : subset.blocks) {
            for (const Head head : block) {
              if (partition.group_of(head) != partition.group_of(block[0])) return false;
            }
          }
          return partition.group_of(subset.apart[0].first) !=
                 partition.group_of(subset.apart[0].second);
        };
        const int blocks = static_cast<int>(subset.blocks.size());
        for (int groups = 2; groups < blocks; ++groups) {
          double least = 1e300;
          for_each_partition(heads, [&](const Partition& partition) {
            if (partition.groups() == groups && is_in(partition)) {
              least = std::min(least, table->partition_cost(partition));
            }
          });
          INFO(name << ", " << heads << " heads, " << groups << " groups, " << blocks << " blocks");
          for (const int effort : {0, 1, 30}) {
            CHECK(relaxation->relax(subset, groups, 1e300, effort).bound <= least + 1e-12);
          }
        }
      }
    }
  }
}

TEST_CASE("the spectral bound is exact at one group, and multipliers raise it elsewhere") {
  const Eigen::MatrixXd vectors = random_vectors(9, 5, RandomKey(34));
  const Eigen::MatrixXd gram = vectors * vectors.transpose();
  const GramCost table(gram);
  const GramRelaxation relaxation(gram);
  const auto all = PartitionSubset::all(9);
  const double one_group = table.partition_cost(Partition::one_group(9));
  CHECK(relaxation.relax(all, 1, 1e300, 0).bound == Approx(one_group));
  const auto exact = enumerated_costs(table);
  for (int groups = 2; groups <= 6; ++groups) {
    const double spectral = relaxation.relax(all, groups, exact.at(groups), 0).bound;
    const double raised = relaxation.relax(all, groups, exact.at(groups), 200).bound;
    CHECK(raised > spectral);
    CHECK(raised > 0.9 * exact.at(groups));
  }
}

TEST_CASE("exact small pieces are optimal up to eight heads and good beyond") {
  for (const int heads : {1, 5, 8, 12, 19}) {
    for (const auto& [name, table] : tables(heads)) {
      const UnitFront found = piecewise_partitions(*table);
      INFO(name << ", " << heads << " heads");
      CHECK(found.front().partition.groups() == 1);
      CHECK(found.back().partition.groups() == heads);
      for (const FrontMember& member : found) {
        CHECK(member.cost == table->partition_cost(member.partition));
      }
      if (heads > 8) continue;
      const auto exact = enumerated_costs(*table);
      REQUIRE(found.size() == exact.size());
      for (const FrontMember& member : found) {
        CHECK(member.cost == near(exact.at(member.partition.groups()), 1e-12));
      }
    }
  }
}

TEST_CASE("good partitions have the numbers of groups and the sizes asked for") {
  for (const auto& [name, table] : tables(12)) {
    for (const GroupSizes sizes : {GroupSizes::kArbitrary, GroupSizes::kEqual}) {
      const UnitFront found = good_partitions(*table, {1, 3, 4, 12}, sizes, RandomKey(2));
      REQUIRE(found.size() == 4);
      CHECK(found[1].partition.groups() == 3);
      CHECK(found[2].partition.groups() == 4);
      for (const FrontMember& member : found) {
        if (sizes == GroupSizes::kEqual) CHECK(member.partition.has_equal_sizes());
        CHECK(member.cost <=
              table->partition_cost(Partition::neighbours(12, member.partition.groups())));
      }
    }
  }
}
