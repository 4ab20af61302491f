#include <map>
#include <set>

#include "search/base/parallel.hpp"
#include "search/qcqa/marginal_allocation.hpp"
#include "search/qcqa/qcqa_methods.hpp"
#include "search/qcqa/stage_one.hpp"
#include "search/qcqa/stage_two.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/near.hpp"
#include "tests/support/random_tables.hpp"
#include "tests/support/run_method.hpp"

using namespace regroup;
using namespace regroup::search;
using namespace regroup::tests;

namespace {

/// Every pair (KV heads, least error) over all choices of front members of a small model.
std::map<int, double> exact_model_front(const GroupingProblem& problem,
                                        const std::vector<UnitFront>& fronts) {
  std::map<int, double> sums = {{0, 0.0}};
  for (std::size_t u = 0; u < fronts.size(); ++u) {
    std::map<int, double> next;
    for (const auto& [size, error] : sums) {
      for (const FrontMember& member : fronts[u]) {
        const int total = size + problem.units()[u].kv_heads_per_group * member.partition.groups();
        const auto [entry, fresh] = next.emplace(total, error + member.cost);
        if (!fresh) entry->second = std::min(entry->second, error + member.cost);
      }
    }
    sums = next;
  }
  return sums;
}

std::vector<UnitFront> stage_one(const GroupingProblem& problem, GroupSizes sizes) {
  QcqaState state;
  return qcqa_stage_one(problem, sizes, {.population = 60, .generations = 60}, *QuietContext(1),
                        state);
}

std::vector<ModelPoint> stage_two(const GroupingProblem& problem,
                                  const std::vector<UnitFront>& fronts, StageTwoChoice choice) {
  QcqaState state;
  const QcqaOptions options{.population = 100, .generations = 100, .stage_two = choice};
  return qcqa_stage_two(problem, fronts, options, *QuietContext(2), state);
}

}  // namespace

TEST_CASE("stage 1 finds the exact front of 8 heads") {
  const GroupingProblem problem = random_problem(4, 8, PartitionSharing::kJoint, RandomKey(21));
  for (const bool equal : {false, true}) {
    const std::vector<UnitFront> fronts =
        stage_one(problem, equal ? GroupSizes::kEqual : GroupSizes::kArbitrary);
    REQUIRE(fronts.size() == 4);
    for (std::size_t u = 0; u < 4; ++u) {
      const auto exact = enumerated_costs(*problem.units()[u].costs, equal);
      REQUIRE(fronts[u].size() == exact.size());
      for (const FrontMember& member : fronts[u]) {
        CHECK(member.cost == near(exact.at(member.partition.groups()), 1e-12));
        CHECK(problem.units()[u].costs->partition_cost(member.partition) == member.cost);
      }
    }
  }
}

TEST_CASE("stage 1 keeps to a group limit") {
  const GroupingProblem problem =
      random_problem(2, 8, {.min_groups = 2, .max_groups = 4}, RandomKey(22));
  for (const UnitFront& front : stage_one(problem, GroupSizes::kArbitrary)) {
    CHECK(front.size() == 3);
    CHECK(front.front().partition.groups() == 2);
    CHECK(front.back().partition.groups() == 4);
  }
}

TEST_CASE("stage 2 finds the exact front of a small model") {
  for (const PartitionSharing sharing :
       {PartitionSharing::kJoint, PartitionSharing::kIndependent}) {
    const GroupingProblem problem = random_problem(3, 5, sharing, RandomKey(23));
    const auto fronts = stage_one(problem, GroupSizes::kArbitrary);
    const std::vector<ModelPoint> front = stage_two(problem, fronts, StageTwoChoice::kFrontMember);
    const auto exact = exact_model_front(problem, fronts);
    REQUIRE(front.size() == exact.size());
    for (const ModelPoint& point : front) {
      const int size = point.grouping.kv_heads();
      CHECK(point.objectives.size == size);
      CHECK(point.objectives.error == near(exact.at(size), 1e-12));
      CHECK(problem.objectives(point.grouping).error == near(point.objectives.error, 1e-9));
    }
  }
}

TEST_CASE("the paper's stage 2 leaves a layer whole or groups it like the others") {
  const GroupingProblem problem = random_problem(4, 6, PartitionSharing::kJoint, RandomKey(24));
  const auto fronts = stage_one(problem, GroupSizes::kArbitrary);
  const std::vector<ModelPoint> bits = stage_two(problem, fronts, StageTwoChoice::kBit);
  REQUIRE(bits.size() > 4);
  for (const ModelPoint& point : bits) {
    std::set<int> grouped;
    for (const LayerGrouping& layer : point.grouping.layers) {
      if (layer.keys.groups() < 6) grouped.insert(layer.keys.groups());
    }
    CHECK(grouped.size() <= 1);
  }
  // Any member of the fronts can do whatever a bit can.
  const std::vector<ModelPoint> members = stage_two(problem, fronts, StageTwoChoice::kFrontMember);
  const auto area = [&](const std::vector<ModelPoint>& front) {
    std::vector<Objectives> points;
    for (const ModelPoint& point : front) points.push_back(point.objectives);
    return hypervolume(points, problem.source_kv_heads(), problem.one_group_error());
  };
  CHECK(area(members) >= area(bits));
}

TEST_CASE("marginal allocation walks along optimal choices") {
  const GroupingProblem problem = random_problem(4, 5, PartitionSharing::kJoint, RandomKey(25));
  const auto fronts = stage_one(problem, GroupSizes::kArbitrary);
  const auto exact = exact_model_front(problem, fronts);
  const std::vector<Choice> path = marginal_allocation(problem.units(), fronts);
  CHECK(path.size() > 4);
  CHECK(path.back() == Choice(4, 0));
  double last_error = -1;
  for (const Choice& choice : path) {
    int size = 0;
    double error = 0;
    for (std::size_t u = 0; u < choice.size(); ++u) {
      size += 2 * fronts[u][choice[u]].partition.groups();
      error += fronts[u][choice[u]].cost;
    }
    CHECK(error == near(exact.at(size), 1e-12));
    CHECK(error > last_error);
    last_error = error;
  }
}

TEST_CASE("a whole search gives the same bytes for one thread and many") {
  const GroupingProblem problem =
      random_problem(5, 6, PartitionSharing::kIndependent, RandomKey(26));
  const auto run = [&](int threads) {
    set_threads(threads);
    return run_method(QcqaMethod(GroupSizes::kArbitrary, {.population = 30, .generations = 20}),
                      problem, 4);
  };
  const MethodResult one = run(1);
  const MethodResult many = run(4);
  set_threads(1);
  REQUIRE(one.front.size() == many.front.size());
  for (std::size_t i = 0; i < one.front.size(); ++i) {
    CHECK(one.front[i].grouping == many.front[i].grouping);
    CHECK(one.front[i].objectives == many.front[i].objectives);
  }
  REQUIRE(one.history.size() == many.history.size());
  CHECK(one.history.size() == 11 * 21);
  for (std::size_t i = 0; i < one.history.size(); ++i) {
    CHECK(one.history[i].hypervolume == many.history[i].hypervolume);
    CHECK(one.history[i].unit == many.history[i].unit);
  }
}

TEST_CASE("baselines have the sizes they are asked for") {
  const GroupingProblem problem = random_problem(3, 4, PartitionSharing::kJoint, RandomKey(27));
  const auto neighbour = run_method("neighbour", problem, 1);
  REQUIRE(neighbour.front.size() == 4);
  CHECK(neighbour.front[1].grouping.layers[2].keys == Partition::neighbours(4, 2));
  const auto random = run_method("random", problem, 1);
  CHECK(random.front.size() == 10);  // 3 … 12 groups
  for (std::size_t i = 0; i < random.front.size(); ++i) {
    CHECK(random.front[i].grouping.kv_heads() == 2 * (3 + static_cast<int>(i)));
  }
  CHECK(run_method("mqa", problem, 1).front[0].grouping.kv_heads() == 6);
}
