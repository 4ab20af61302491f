#include "search/costs/allocation.hpp"
#include "search/problem/enumeration.hpp"

#include "search/base/error.hpp"
#include "search/costs/gram_cost.hpp"
#include "search/groupings/grouping.hpp"
#include "search/problem/problem.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/near.hpp"
#include "tests/support/random_tables.hpp"

using namespace regroup;
using namespace regroup::search;
using namespace regroup::tests;

namespace {

std::vector<Group> groups(const std::vector<int>& numbers) {
  return {numbers.begin(), numbers.end()};
}

/// What each query head loses by reading the mean of its group, from the vectors.
double naive_cost(const Eigen::MatrixXd& vectors, const Partition& partition,
                  const std::vector<Group>& query_to_group) {
  const auto per_head = query_to_group.size() / static_cast<std::size_t>(partition.heads());
  double cost = 0;
  for (std::size_t query = 0; query < query_to_group.size(); ++query) {
    const std::vector<int> group = partition.member_ids()[query_to_group[query].at()];
    Eigen::RowVectorXd mean = Eigen::RowVectorXd::Zero(vectors.cols());
    for (const int h : group) mean += vectors.row(h) / static_cast<double>(group.size());
    cost += (vectors.row(static_cast<Eigen::Index>(query / per_head)) - mean).squaredNorm();
  }
  return cost / static_cast<double>(per_head);
}

/// Each query head to the group of its source head.
std::vector<Group> natural(const Partition& partition, int per_head) {
  std::vector<Group> result;
  for (int query = 0; query < per_head * partition.heads(); ++query) {
    result.push_back(partition.group_of(Head(query / per_head)));
  }
  return result;
}

/// A table that knows groups only.
class GroupsOnly : public CostTable {
 public:
  int heads() const override { return 3; }
  double group_cost(std::span<const Head> members) const override {
    return static_cast<double>(members.size()) - 1;
  }
};

}  // namespace

TEST_CASE("query heads are dealt in order") {
  CHECK(allocate_in_order(std::vector<int>{2, 0, 1}) == groups({0, 0, 2}));
  CHECK(allocate_in_order(std::vector<int>{0, 3}) == groups({1, 1, 1}));
}

TEST_CASE("only groups that serve a query head are stored and counted") {
  const Partition partition = Partition::parse("0 1 | 2 | 3");
  const LayerGrouping plain{partition, partition};
  const LayerGrouping dealt{partition, partition, groups({0, 0, 0, 2})};
  CHECK(plain.kv_heads() == 6);
  CHECK(dealt.kv_heads() == 4);
  CHECK(dealt.stored_keys() == groups({0, 2}));
  CHECK(dealt.stored_values() == groups({0, 2}));
  CHECK(plain.stored_values() == groups({0, 1, 2}));
  const Grouping model{{plain, dealt}};
  CHECK(model.kv_heads() == 10);
  CHECK(model.source_kv_heads() == 16);
  CHECK(model.kv_ratio() == 10.0 / 16);
}

TEST_CASE("the allocation is part of a grouping's value") {
  const Partition alone = Partition::singletons(2);
  const LayerGrouping plain{alone, alone};
  const LayerGrouping identity{alone, alone, groups({0, 0, 1, 1})};
  const LayerGrouping other{alone, alone, groups({0, 1, 1, 1})};
  CHECK(plain != identity);
  CHECK(identity != other);
  CHECK(identity < other);
  CHECK(plain.is_source());
  CHECK(identity.is_source());
  CHECK_FALSE(other.is_source());  // as many heads as the source, but another model
  CHECK_FALSE(Grouping{{plain, other}}.is_source());
  CHECK(Grouping{{plain, identity}}.is_source());
  CHECK_FALSE(LayerGrouping{alone, Partition::one_group(2)}.is_source());
}

TEST_CASE("an allocation costs what its query heads lose") {
  const Eigen::MatrixXd vectors = random_vectors(5, 4, RandomKey(31));
  const GramCost table(vectors * vectors.transpose());
  RandomStream random(RandomKey(32));
  for (const int per_head : {1, 3}) {
    for_each_partition(5, [&](const Partition& partition) {
      CHECK(allocation_cost(table, partition, natural(partition, per_head)) ==
            near(table.partition_cost(partition), 1e-12));
      std::vector<Group> anywhere;
      for (int query = 0; query < 5 * per_head; ++query) {
        anywhere.emplace_back(random.below(partition.groups()));
      }
      CHECK(allocation_cost(table, partition, anywhere) ==
            near(naive_cost(vectors, partition, anywhere), 1e-12));
    });
  }
}

TEST_CASE("a served copy of the shared head costs nothing, not less") {
  Eigen::MatrixXd vectors = random_vectors(3, 1000, RandomKey(33)) * 1e3;
  vectors.row(2) = 0.5 * (vectors.row(0) + vectors.row(1));
  const GramCost table(vectors * vectors.transpose());
  const double cost = table.serving_cost(Head(2), std::vector<Head>{Head(0), Head(1)});
  CHECK(cost >= 0);
  CHECK(cost < 1e-9 * table.group_cost(std::vector<Head>{Head(0), Head(1)}));
}

TEST_CASE("a problem prices keys and values of an allocated layer") {
  const Eigen::MatrixXd k = random_vectors(4, 6, RandomKey(34));
  const Eigen::MatrixXd v = random_vectors(4, 6, RandomKey(35));
  const auto table = [](const Eigen::MatrixXd& x) {
    return std::make_shared<GramCost>(x * x.transpose());
  };
  const GroupingProblem problem(
      {{table(k), table(v), std::make_shared<GramCost>(k * k.transpose() + v * v.transpose())}},
      GroupingRules{});
  const Partition pooled = Partition::neighbours(4, 3);
  const std::vector<Group> dealt = groups({0, 0, 0, 0, 2, 2, 2, 2});
  const Objectives found = problem.objectives({{{pooled, pooled, dealt}}});
  CHECK(found.size == 4);
  CHECK(found.error == near(naive_cost(k, pooled, dealt) + naive_cost(v, pooled, dealt), 1e-12));
}

TEST_CASE("a table that knows groups only refuses an allocation") {
  const auto table = std::make_shared<GroupsOnly>();
  const GroupingProblem problem({{table, table, table}}, GroupingRules{});
  const Partition pooled = Partition::neighbours(3, 2);
  CHECK_NOTHROW(problem.objectives({{{pooled, pooled}}}));
  CHECK_THROWS_AS(problem.objectives({{{pooled, pooled, groups({0, 1, 1})}}}), InputError);
}
