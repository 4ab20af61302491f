// The exact front of a whole model, the split of budgets, and what fronts are compared with.

#include <functional>
#include <map>

#include "search/base/parallel.hpp"
#include "search/exact/budget_split.hpp"
#include "search/exact/certify.hpp"
#include "search/exact/exact_method.hpp"
#include "search/qcqa/qcqa_methods.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/near.hpp"
#include "tests/support/random_tables.hpp"
#include "tests/support/run_method.hpp"

using namespace regroup;
using namespace regroup::search;
using namespace regroup::tests;

namespace {

/// Least cost for every total size over all choices of options.
std::map<int, double> enumerated_splits(const std::vector<std::vector<SplitOption>>& units) {
  std::map<int, double> best;
  const std::function<void(std::size_t, int, double)> extend = [&](std::size_t u, int size,
                                                                   double cost) {
    if (u == units.size()) {
      const auto [entry, fresh] = best.emplace(size, cost);
      if (!fresh) entry->second = std::min(entry->second, cost);
      return;
    }
    for (const SplitOption& option : units[u]) {
      extend(u + 1, size + option.size, cost + option.cost);
    }
  };
  extend(0, 0, 0);
  return best;
}

/// The non-dominated (size, cost) of all groupings that the problem's rules allow, by enumerating
/// the partitions of every unit.
std::map<int, double> enumerated_front(const GroupingProblem& problem, bool equal_sizes) {
  std::vector<std::vector<SplitOption>> units;
  for (const Unit& unit : problem.units()) {
    units.emplace_back();
    for (const auto& [groups, cost] : enumerated_costs(*unit.costs, equal_sizes)) {
      if (std::ranges::count(unit.group_counts, groups) == 0) continue;
      units.back().push_back({unit.kv_heads_per_group * groups, cost});
    }
  }
  std::map<int, double> front;
  double least = 1e300;
  for (const auto& [size, cost] : enumerated_splits(units)) {
    if (size > problem.kv_heads_limit() || cost >= least) continue;
    least = cost;
    front[size] = cost;
  }
  return front;
}

std::vector<GroupingRules> budget_rules() {
  return {{},
          {.sharing = PartitionSharing::kIndependent},
          {.shape = GroupShape::kPerLayer},
          {.min_groups = 2, .max_groups = 3},
          {.frozen_layers = {1}},
          {.kv_heads_limit = 17}};
}

}  // namespace

TEST_CASE("a budget is split as enumeration splits it") {
  RandomStream random{RandomKey(41)};
  for (int draw = 0; draw < 30; ++draw) {
    std::vector<std::vector<SplitOption>> units(1 + random.below(std::size_t{4}));
    for (auto& options : units) {
      options.resize(1 + random.below(std::size_t{5}));
      const int step = 1 + random.below(2);
      for (SplitOption& option : options) option = {step * (1 + random.below(6)), random.unit()};
    }
    const auto exact = enumerated_splits(units);
    const int limit = 14;
    std::size_t within = 0;
    for (const auto& [size, cost] : exact) within += size <= limit;
    const std::vector<Split> found = budget_split(units, limit);
    REQUIRE(found.size() == within);
    for (const Split& split : found) {
      CHECK(split.cost == near(exact.at(split.size), 1e-12));
      int size = 0;
      for (std::size_t u = 0; u < units.size(); ++u) {
        size += units[u][static_cast<std::size_t>(split.choice[u])].size;
      }
      CHECK(size == split.size);
    }
  }
}

TEST_CASE("the exact front is that of all groupings the rules allow") {
  for (const GroupingRules& rules : budget_rules()) {
    const GroupingProblem problem = random_problem(3, 6, rules, RandomKey(42));
    const auto exact = enumerated_front(problem, rules.equal_sizes());
    const MethodResult found = run_method("exact", problem, 1);
    REQUIRE(found.front.size() == exact.size());
    for (const ModelPoint& point : found.front) {
      const int size = point.grouping.kv_heads();
      CHECK(point.objectives.size == size);
      CHECK(point.objectives.error == near(exact.at(size), 1e-12));
      CHECK(problem.objectives(point.grouping).error == near(point.objectives.error, 1e-9));
    }
    REQUIRE(found.certificate);
    CHECK(found.certificate->is_exact);
    CHECK(found.certificate->fraction() == 1);
    CHECK(found.certificate->worst_gap == 0);
  }
}

TEST_CASE("in layout standard the exact front has one number of groups of one size") {
  const GroupingProblem problem =
      random_problem(3, 6, {.shape = GroupShape::kStandard}, RandomKey(43));
  const MethodResult found = run_method("exact", problem, 1);
  REQUIRE(found.front.size() == 4);  // 1, 2, 3, 6
  for (const ModelPoint& point : found.front) {
    double cost = 0;
    const int groups = point.grouping.layers[0].keys.groups();
    for (std::size_t u = 0; u < 3; ++u) {
      CHECK(point.grouping.layers[u].keys.groups() == groups);
      CHECK(point.grouping.layers[u].keys.has_equal_sizes());
      cost += enumerated_costs(*problem.units()[u].costs, true).at(groups);
    }
    CHECK(point.objectives.error == near(cost, 1e-12));
  }
}

TEST_CASE("large layers get a certified front, the same for one thread and many") {
  const GroupingProblem problem = random_problem(2, 20, PartitionSharing::kJoint, RandomKey(44));
  const auto run = [&](int threads) {
    set_threads(threads);
    return run_method(ExactMethod({.nodes = 3}), problem, 1);
  };
  const MethodResult found = run(1);
  const MethodResult again = run(3);
  set_threads(1);
  REQUIRE(found.certificate);
  CHECK_FALSE(found.certificate->is_exact);
  CHECK(found.certificate->fraction() > 0.95);
  CHECK(found.certificate->fraction() < 1);
  REQUIRE(found.front.size() == again.front.size());
  for (std::size_t i = 0; i < found.front.size(); ++i) {
    CHECK(found.front[i].grouping == again.front[i].grouping);
  }
  CHECK(found.certificate->best == again.certificate->best);
  // More nodes never loosen the bound.
  const MethodResult more = run_method(ExactMethod({.nodes = 30}), problem, 1);
  CHECK(more.certificate->best <= found.certificate->best);
}

TEST_CASE("a certificate compares with the exact front of small layers, else with a bound") {
  const GroupingProblem small = random_problem(3, 6, PartitionSharing::kJoint, RandomKey(45));
  const QuietContext context(1);
  const auto certificate = [&](const GroupingProblem& problem, const char* method) {
    const auto units = bound_units(problem, GroupSizes::kArbitrary, *context);
    const MethodResult found = run_method(method, problem, 1);
    return certify(problem, found.front, exact_front(problem, units));
  };
  const Certificate exact = certificate(small, "neighbour");
  CHECK(exact.is_exact);
  CHECK(exact.fraction() < 0.95);
  CHECK(exact.worst_gap > 0);
  CHECK(certificate(small, "exact").fraction() == 1);
  const GroupingProblem large = random_problem(2, 18, PartitionSharing::kJoint, RandomKey(46));
  const Certificate bound = certificate(large, "qcqa");
  CHECK_FALSE(bound.is_exact);
  CHECK(bound.fraction() > 0.9);
  CHECK(bound.fraction() <= 1);
  CHECK(bound.best >= run_method("exact", large, 1).certificate->hypervolume);
}

TEST_CASE("evolutionary search comes within a thousandth of the exact front") {
  const GroupingProblem problem = random_problem(12, 12, PartitionSharing::kJoint, RandomKey(47));
  const QuietContext context(1);
  const auto exact = exact_front(problem, bound_units(problem, GroupSizes::kArbitrary, *context));
  const MethodResult found = run_method(
      QcqaMethod(GroupSizes::kArbitrary, {.population = 100, .generations = 50}), problem, 1);
  CHECK(certify(problem, found.front, exact).fraction() > 0.999);
}
