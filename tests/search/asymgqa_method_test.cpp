// AsymGQA over whole models: every unit, size and rule, by prices and by a score.

#include <algorithm>
#include <map>

#include "search/asymgqa/asymgqa_method.hpp"
#include "search/base/error.hpp"
#include "search/base/parallel.hpp"
#include "search/problem/enumeration.hpp"
#include "tests/search/naive_asymgqa.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/random_tables.hpp"

using namespace regroup;
using namespace regroup::search;
using namespace regroup::tests;

namespace {

std::vector<Eigen::MatrixXd> distances_of(const GroupingProblem& problem) {
  std::vector<Eigen::MatrixXd> distances;
  for (const Unit& unit : problem.units()) {
    Eigen::MatrixXd d(unit.heads(), unit.heads());
    for (int i = 0; i < unit.heads(); ++i) {
      for (int j = 0; j < unit.heads(); ++j) {
        const Head pair[] = {Head(i), Head(j)};
        d(i, j) = i == j ? 0 : unit.costs->group_cost(pair);
      }
    }
    distances.push_back(d);
  }
  return distances;
}

AsymGqaMethod method_of(const AsymGqaOptions& options) {
  return AsymGqaMethod(
      {.iterations = options.iterations, .accept = options.accept, .reset = options.reset});
}

MethodResult run_asymgqa(const GroupingProblem& problem, const AsymGqaOptions& options = {},
                         const GroupingScore* score = nullptr) {
  SilentProgress silent;
  NoStateStore store;
  const auto distances = distances_of(problem);
  return method_of(options).run(problem, {RandomKey(5), {}, silent, store, distances, score});
}

/// The least cost of every number of groups, by looking at all partitions.
std::map<int, double> exact_costs(const CostTable& table) {
  std::map<int, double> best;
  for_each_partition(table.heads(), [&](const Partition& partition) {
    const double cost = table.partition_cost(partition);
    const auto [entry, fresh] = best.emplace(partition.groups(), cost);
    if (!fresh) entry->second = std::min(entry->second, cost);
  });
  return best;
}

/// Sums prices as a score, and remembers what it was asked.
class RecordedScore : public GroupingScore {
 public:
  explicit RecordedScore(const GroupingProblem& problem) : problem_(problem) {}
  std::vector<double> scores(std::span<const Grouping> groupings) const override {
    std::vector<double> errors;
    for (const Grouping& grouping : groupings) {
      asked_.push_back(grouping);
      errors.push_back(problem_.objectives(grouping).error);
    }
    return errors;
  }
  std::size_t asked() const { return asked_.size(); }
  /// Those asked for one size, which shows in the groups of the first layer's keys, in order.
  std::vector<Grouping> asked_for(int groups) const {
    std::vector<Grouping> result;
    std::ranges::copy_if(asked_, std::back_inserter(result), [=](const Grouping& grouping) {
      return grouping.layers.front().keys.groups() == groups;
    });
    return result;
  }

 private:
  const GroupingProblem& problem_;
  mutable std::vector<Grouping> asked_;
};

std::vector<Partition> partitions_of(const Grouping& grouping, PartitionSharing sharing) {
  std::vector<Partition> partitions;
  for (const LayerGrouping& layer : grouping.layers) {
    partitions.push_back(layer.keys);
    if (sharing == PartitionSharing::kIndependent) partitions.push_back(layer.values);
  }
  return partitions;
}

}  // namespace

TEST_CASE(
    "AsymGQA comes within a few percent of the best partition of every unit by its own price") {
  for (const PartitionSharing sharing :
       {PartitionSharing::kJoint, PartitionSharing::kIndependent}) {
    const GroupingProblem problem = random_problem(3, 8, GroupingRules{sharing}, RandomKey(52));
    const MethodResult found = run_asymgqa(problem);
    REQUIRE(found.front.size() == 8);
    bool differ = false;
    for (int groups = 1; groups <= 8; ++groups) {
      const ModelPoint& point = found.front[static_cast<std::size_t>(groups - 1)];
      CHECK(point.objectives.size == 6 * groups);
      CHECK(point.objectives == problem.objectives(point.grouping));
      const auto partitions = partitions_of(point.grouping, sharing);
      for (std::size_t u = 0; u < partitions.size(); ++u) {
        const CostTable& table = *problem.units()[u].costs;
        CHECK(partitions[u].groups() == groups);
        CHECK(table.partition_cost(partitions[u]) <= 1.03 * exact_costs(table).at(groups) + 1e-12);
      }
      for (const LayerGrouping& layer : point.grouping.layers) {
        differ = differ || layer.keys != layer.values;
      }
    }
    CHECK(differ == (sharing == PartitionSharing::kIndependent));
    CHECK(found.evaluations == method_of({}).candidates(problem));
  }
}

TEST_CASE("AsymGQA searches every unit with its own distances, prices and draws") {
  const GroupingProblem problem =
      random_problem(2, 7, GroupingRules{PartitionSharing::kIndependent}, RandomKey(57));
  const auto distances = distances_of(problem);
  const AsymGqaOptions options{15};
  const MethodResult found = run_asymgqa(problem, options);
  for (int groups = 2; groups < 7; ++groups) {
    const auto partitions = partitions_of(
        found.front[static_cast<std::size_t>(groups - 1)].grouping, PartitionSharing::kIndependent);
    for (std::size_t u = 0; u < 4; ++u) {
      const RandomKey key = RandomKey(5).split(static_cast<std::uint64_t>(groups)).split(u);
      CHECK(partitions[u] == naive_unit_search(*problem.units()[u].costs, distances[u], groups,
                                               AsymGqaMoves::kSwapsAndMoves, options, key));
    }
  }
}

TEST_CASE("AsymGQA with a score converts the units before and leaves those after whole") {
  for (const PartitionSharing sharing :
       {PartitionSharing::kJoint, PartitionSharing::kIndependent}) {
    const GroupingProblem problem = random_problem(2, 5, GroupingRules{sharing}, RandomKey(53));
    const RecordedScore score(problem);
    const MethodResult found = run_asymgqa(problem, {6, 0.1, 0.1}, &score);
    const std::size_t units = problem.units().size();
    const Partition whole = Partition::singletons(5);
    REQUIRE(found.front.size() == 5);
    for (const ModelPoint& point : found.front) {
      const auto best = partitions_of(point.grouping, sharing);
      const std::vector<Grouping> all = score.asked_for(best[0].groups());
      auto asked = all.begin();
      const bool has_choice = best[0].groups() > 1 && best[0].groups() < 5;
      for (std::size_t u = 0; has_choice && u < units; ++u) {
        for (int candidate = 0; candidate < 7; ++candidate, ++asked) {
          const auto partitions = partitions_of(*asked, sharing);
          for (std::size_t v = 0; v < units; ++v) {
            if (v == u) CHECK(partitions[v].groups() == best[v].groups());
            if (v < u) CHECK(partitions[v] == best[v]);
            if (v > u) CHECK(partitions[v] == whole);
          }
        }
      }
      CHECK(*asked == point.grouping);
      CHECK(++asked == all.end());
      CHECK(point.objectives.error == problem.objectives(point.grouping).error);
    }
    CHECK(found.evaluations == score.asked());
    // A score that is the sum of the prices finds what the prices find.
    const MethodResult priced = run_asymgqa(problem, {6, 0.1, 0.1});
    REQUIRE(priced.front.size() == found.front.size());
    for (std::size_t i = 0; i < priced.front.size(); ++i) {
      CHECK(priced.front[i].grouping == found.front[i].grouping);
    }
  }
}

TEST_CASE("AsymGQA keeps to the rules: limit, equal sizes, frozen layers, numbers of groups") {
  const RandomKey key(54);
  const auto sizes = [](const MethodResult& found) {
    std::vector<int> result;
    for (const ModelPoint& point : found.front) result.push_back(point.grouping.kv_heads());
    return result;
  };
  CHECK(sizes(run_asymgqa(random_problem(2, 8, {.kv_heads_limit = 15}, key), {20})) ==
        std::vector<int>{4, 8, 12});
  CHECK(sizes(run_asymgqa(random_problem(2, 8, {.frozen_layers = {1}}, key), {20})) ==
        std::vector<int>{18, 20, 22, 24, 26, 28, 30, 32});
  CHECK(sizes(run_asymgqa(random_problem(2, 8, {.min_groups = 3, .max_groups = 5}, key), {20})) ==
        std::vector<int>{12, 16, 20});
  const MethodResult equal =
      run_asymgqa(random_problem(2, 8, {.shape = GroupShape::kPerLayer}, key), {50});
  CHECK(sizes(equal) == std::vector<int>{4, 8, 16, 32});
  for (const ModelPoint& point : equal.front) {
    for (const LayerGrouping& layer : point.grouping.layers) CHECK(layer.keys.has_equal_sizes());
  }
  const MethodResult frozen = run_asymgqa(random_problem(2, 8, {.frozen_layers = {1}}, key), {20});
  REQUIRE(frozen.front.size() == 8);
  for (const ModelPoint& point : frozen.front) {
    CHECK(point.grouping.layers[1].keys == Partition::singletons(8));
  }
}

TEST_CASE("AsymGQA finds the same with one thread and many") {
  const GroupingProblem problem =
      random_problem(4, 7, GroupingRules{PartitionSharing::kIndependent}, RandomKey(55));
  const MethodResult one = run_asymgqa(problem, {40});
  set_threads(4);
  const MethodResult many = run_asymgqa(problem, {40});
  set_threads(1);
  REQUIRE(one.front.size() == many.front.size());
  for (std::size_t i = 0; i < one.front.size(); ++i) {
    CHECK(one.front[i].grouping == many.front[i].grouping);
    CHECK(one.front[i].objectives == many.front[i].objectives);
  }
  CHECK(one.evaluations == many.evaluations);
}

TEST_CASE("AsymGQA stops when asked, and needs distances of every unit") {
  const GroupingProblem problem = random_problem(2, 6, GroupingRules{}, RandomKey(56));
  SilentProgress silent;
  NoStateStore store;
  CHECK_THROWS_AS(AsymGqaMethod().run(problem, {RandomKey(1), {}, silent, store}), WorkError);
  std::stop_source stop;
  stop.request_stop();
  const auto distances = distances_of(problem);
  CHECK_THROWS_AS(
      AsymGqaMethod().run(problem, {RandomKey(1), stop.get_token(), silent, store, distances}),
      Interrupted);
}
