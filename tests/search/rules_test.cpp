// Rules say which groupings may be found; every method keeps to them.

#include "search/base/error.hpp"
#include "search/problem/baselines.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/error_message.hpp"
#include "tests/support/random_tables.hpp"
#include "tests/support/run_method.hpp"

using namespace regroup;
using namespace regroup::search;
using namespace regroup::tests;

namespace {

struct NamedRules {
  std::string name;
  GroupingRules rules;
};

std::vector<NamedRules> named_rules() {
  return {{"none", {}},
          {"independent", {.sharing = PartitionSharing::kIndependent}},
          {"per-layer", {.shape = GroupShape::kPerLayer}},
          {"standard", {.shape = GroupShape::kStandard}},
          {"standard, 2 to 3", {.shape = GroupShape::kStandard, .min_groups = 2, .max_groups = 3}},
          {"2 to 4 groups", {.min_groups = 2, .max_groups = 4}},
          {"frozen", {.frozen_layers = {0, 2}}},
          {"frozen, per-layer", {.shape = GroupShape::kPerLayer, .frozen_layers = {1}}},
          {"at most 20", {.kv_heads_limit = 20}},
          {"all at once",
           {.shape = GroupShape::kPerLayer,
            .min_groups = 2,
            .frozen_layers = {2},
            .kv_heads_limit = 24}}};
}

void check_follows(const GroupingRules& rules, const Grouping& grouping) {
  if (rules.kv_heads_limit) CHECK(grouping.kv_heads() <= *rules.kv_heads_limit);
  for (std::size_t l = 0; l < grouping.layers.size(); ++l) {
    const LayerGrouping& layer = grouping.layers[l];
    if (rules.sharing == PartitionSharing::kJoint) CHECK(layer.shares_partition());
    const bool frozen = std::ranges::count(rules.frozen_layers, static_cast<int>(l)) > 0;
    for (const Partition* partition : {&layer.keys, &layer.values}) {
      if (frozen) {
        CHECK(partition->groups() == partition->heads());
        continue;
      }
      CHECK(partition->groups() >= rules.min_groups);
      if (rules.max_groups > 0) CHECK(partition->groups() <= rules.max_groups);
      if (rules.equal_sizes()) CHECK(partition->has_equal_sizes());
    }
    if (rules.shape == GroupShape::kStandard) {
      CHECK(layer.keys.groups() == grouping.layers[0].keys.groups());
    }
  }
}

}  // namespace

TEST_CASE("every method keeps to the rules") {
  for (const auto& [name, rules] : named_rules()) {
    const GroupingProblem problem = random_problem(3, 6, rules, RandomKey(51));
    int methods = 0;
    for (const std::string choice : {"member", "bit"}) {
      // The paper's bit leaves a layer as it is, whatever the most groups.
      if (choice == "bit" && rules.max_groups > 0) continue;
      const auto all = make_methods();
      const std::vector<Option> options = method_options(all);
      set(options, "--population", 20);
      set(options, "--generations", 10);
      set(options, "--stage-two", choice);
      for (const auto& method : all) {
        // Those that need more than prices, or few groupings, keep to them in tests of their own.
        if (method->allocates_queries() || method->takes_score()) continue;
        ++methods;
        const MethodResult found = run_method(*method, problem, 1);
        INFO(method->name() << ", " << name);
        REQUIRE_FALSE(found.front.empty());
        double last = 0;
        for (const ModelPoint& point : found.front) {
          check_follows(rules, point.grouping);
          CHECK(point.objectives.size == point.grouping.kv_heads());
          CHECK(point.objectives.size > last);
          last = point.objectives.size;
        }
      }
    }
    CHECK(methods >= 6);
  }
}

TEST_CASE("baselines within a size are the largest that the rules allow") {
  for (const auto& [name, rules] : named_rules()) {
    const GroupingProblem problem = random_problem(3, 6, rules, RandomKey(52));
    INFO(name);
    CHECK(mqa_grouping(problem).kv_heads() == problem.smallest_kv_heads());
    for (int size = problem.smallest_kv_heads(); size <= problem.source_kv_heads(); ++size) {
      const Grouping neighbour = neighbour_grouping_within(problem, size);
      CHECK(neighbour.kv_heads() <= size);
      for (int groups = 1; groups <= 6; ++groups) {
        const int other = neighbour_grouping(problem, groups).kv_heads();
        if (other <= size) CHECK(other <= neighbour.kv_heads());
      }
      const Grouping random = random_grouping(problem, size, RandomKey(1));
      CHECK(random.kv_heads() <= size);
      CHECK(random == random_grouping(problem, size, RandomKey(1)));
    }
    CHECK_THROWS_AS(neighbour_grouping_within(problem, problem.smallest_kv_heads() - 1),
                    InputError);
    CHECK_THROWS_AS(random_grouping(problem, problem.smallest_kv_heads() - 1, RandomKey(1)),
                    InputError);
  }
}

TEST_CASE("random partitions into groups of equal size differ by at most one head") {
  RandomStream random{RandomKey(53)};
  for (int groups = 1; groups <= 7; ++groups) {
    const Partition partition = random_partition(7, groups, GroupSizes::kEqual, random);
    CHECK(partition.groups() == groups);
    for (const std::vector<Head>& group : partition.members()) {
      CHECK(static_cast<int>(group.size()) >= 7 / groups);
      CHECK(static_cast<int>(group.size()) <= (7 + groups - 1) / groups);
    }
    CHECK(random_partition(7, groups, GroupSizes::kArbitrary, random).groups() == groups);
  }
}

TEST_CASE("rules that allow nothing or contradict each other are refused by name") {
  const auto refused = [](GroupingRules rules) {
    return error_message<InputError>(
        [&] { random_problem(3, 6, std::move(rules), RandomKey(54)); });
  };
  CHECK_THAT(refused({.min_groups = 7}), contains("no number of groups is allowed"));
  CHECK_THAT(refused({.shape = GroupShape::kPerLayer, .min_groups = 4, .max_groups = 5}),
             contains("a divisor of the heads"));
  CHECK_THAT(refused({.frozen_layers = {3}}), contains("--freeze-layers"));
  CHECK_THAT(refused({.frozen_layers = {-1}}), contains("--freeze-layers"));
  CHECK_THAT(refused({.sharing = PartitionSharing::kIndependent, .shape = GroupShape::kPerLayer}),
             contains("must share their partitions"));
  CHECK_THAT(refused({.shape = GroupShape::kStandard, .frozen_layers = {0}}),
             contains("layout standard"));
  CHECK_THAT(refused({.min_groups = 2, .kv_heads_limit = 11}), contains("at least 12 KV heads"));
}
