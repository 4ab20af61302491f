#include "search/costs/gram_cost.hpp"
#include "search/problem/enumeration.hpp"

#include "search/base/error.hpp"
#include "search/costs/descent.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/near.hpp"
#include "tests/support/random_tables.hpp"

using namespace regroup;
using namespace regroup::search;
using namespace regroup::tests;

namespace {

/// The definition itself: Σ over groups of ‖W^h − mean‖², from the vectors.
double naive_cost(const Eigen::MatrixXd& vectors, const Partition& partition) {
  double cost = 0;
  for (const std::vector<int>& group : partition.member_ids()) {
    Eigen::RowVectorXd mean = Eigen::RowVectorXd::Zero(vectors.cols());
    for (const int h : group) mean += vectors.row(h);
    mean /= static_cast<double>(group.size());
    for (const int h : group) cost += (vectors.row(h) - mean).squaredNorm();
  }
  return cost;
}

GramCost table_of(const Eigen::MatrixXd& vectors) {
  return GramCost(vectors * vectors.transpose());
}

/// The generic path, which prices every group by itself.
double cost_by_groups(const CostTable& table, const Partition& partition) {
  double cost = 0;
  for (const auto& group : partition.members()) cost += table.group_cost(group);
  return cost;
}

}  // namespace

TEST_CASE("cost equals its definition on every partition of 7 heads") {
  const Eigen::MatrixXd vectors = random_vectors(7, 5, RandomKey(11));
  const GramCost table = table_of(vectors);
  for_each_partition(7, [&](const Partition& partition) {
    const double expected = naive_cost(vectors, partition);
    CHECK(table.partition_cost(partition) == near(expected, 1e-12));
    CHECK(cost_by_groups(table, partition) == near(expected, 1e-12));
  });
}

TEST_CASE("singletons cost 0, merging two groups never lowers the cost") {
  const GramCost table = table_of(random_vectors(6, 4, RandomKey(12)));
  CHECK(table.partition_cost(Partition::singletons(6)) == 0);
  int merges = 0;
  for_each_partition(6, [&](const Partition& partition) {
    for (int a = 0; a < partition.groups(); ++a) {
      for (int b = 0; b < a; ++b) {
        std::vector<Label> labels(partition.labels().begin(), partition.labels().end());
        for (Label& label : labels) label = label == a ? static_cast<Label>(b) : label;
        CHECK(table.partition_cost(Partition::from_labels(labels)) >=
              table.partition_cost(partition) - 1e-12);
        ++merges;
      }
    }
  });
  CHECK(merges > 500);
}

TEST_CASE("copies of a head merge at exactly 0") {
  Eigen::MatrixXd vectors = random_vectors(6, 1000, RandomKey(13)) * 1e3;
  vectors.row(4) = vectors.row(1);
  vectors.row(5) = vectors.row(1);
  const GramCost table = table_of(vectors);
  CHECK(table.partition_cost(Partition::parse("0 | 1 4 5 | 2 | 3")) == 0);
  CHECK(table.partition_cost(Partition::parse("0 1 | 2 | 3 | 4 | 5")) > 0);
}

TEST_CASE("moves and swaps are priced as they turn out") {
  const GramCost table = table_of(random_vectors(9, 5, RandomKey(14)));
  const Partition start = Partition::parse("0 1 2 3 | 4 5 6 | 7 8");
  for (const bool fast : {true, false}) {
    const auto state =
        fast ? table.state(start)
             : std::unique_ptr<PartitionState>(std::make_unique<RepricedState>(table, start));
    RandomStream random(RandomKey(15));
    int moved = 0;
    int swapped = 0;
    for (int step = 0; step < 300; ++step) {
      const double before = table.partition_cost(state->partition());
      const Head a(random.below(9));
      const Head b(random.below(9));
      const Group target(random.below(3));
      double delta = 0;
      if (random.chance(0.5)) {
        delta = state->move_delta(a, target);
        state->move(a, target);
        ++moved;
      } else if (a != b && state->group_of(a) != state->group_of(b)) {
        delta = state->swap_delta(a, b);
        state->swap(a, b);
        ++swapped;
      }
      const double after = table.partition_cost(state->partition());
      REQUIRE(after == near(before + delta, 1e-9));
      REQUIRE(state->cost() == near(after, 1e-9));
    }
    CHECK(moved > 100);
    CHECK(swapped > 50);
  }
}

TEST_CASE("a descent never costs more and keeps what it must keep") {
  int improved = 0;
  for (std::uint64_t i = 0; i < 20; ++i) {
    const GramCost table = table_of(random_vectors(10, 4, RandomKey(16).split(i)));
    const Partition start = Partition::neighbours(10, 3);
    const Partition moved = descend(table, start, DescentMoves::kMovesAndSwaps);
    const Partition swapped = descend(table, Partition::neighbours(10, 5), DescentMoves::kSwaps);
    CHECK(moved.groups() == 3);
    CHECK(swapped.has_equal_sizes());
    CHECK(table.partition_cost(moved) <= table.partition_cost(start));
    improved += table.partition_cost(moved) < table.partition_cost(start) ? 1 : 0;
  }
  CHECK(improved > 15);
}

TEST_CASE("a Gram matrix that is none is refused") {
  CHECK_THROWS_AS(GramCost(Eigen::MatrixXd::Zero(2, 3)), InputError);
  CHECK_THROWS_AS(GramCost(Eigen::MatrixXd::Constant(2, 2, std::nan(""))), InputError);
}
