#include <algorithm>
#include <map>

#include "search/base/error.hpp"
#include "search/costs/allocation.hpp"
#include "search/key_norm/deal.hpp"
#include "search/key_norm/key_norm_methods.hpp"
#include "search/method/method.hpp"
#include "search/methods/method_table.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/random_tables.hpp"
#include "tests/support/run_method.hpp"

using namespace regroup;
using namespace regroup::search;
using namespace regroup::tests;

namespace {

/// Random keys of 2 layers in 3 windows.
KeyGrams random_grams(int heads, int queries, RandomKey key) {
  KeyGrams grams{queries, {}};
  for (std::uint64_t layer = 0; layer < 2; ++layer) {
    auto& windows = grams.layers.emplace_back();
    for (std::uint64_t w = 0; w < 3; ++w) {
      Eigen::MatrixXd keys = random_vectors(heads, 8, key.split(layer).split(w));
      for (Eigen::Index head = 0; head < heads; ++head) keys.row(head) *= 1.0 + double(head % 3);
      windows.emplace_back(keys * keys.transpose());
    }
  }
  return grams;
}

MethodResult run(const SearchMethod& method, const GroupingProblem& problem, const KeyGrams* grams,
                 std::uint64_t seed) {
  const QuietContext quiet(seed);
  MethodContext context = *quiet;
  context.key_grams = grams;
  return method.run(problem, context);
}

MethodResult run(const char* method, const GroupingProblem& problem, const KeyGrams* grams,
                 std::uint64_t seed) {
  return run(*make_method(method), problem, grams, seed);
}

}  // namespace

TEST_CASE("key-norm methods give the cheapest allocation of every size they reach") {
  int merged_sizes = 0;
  for (const int queries : {7, 14}) {
    const GroupingProblem problem = random_problem(2, 7, PartitionSharing::kJoint, RandomKey(41));
    const KeyGrams grams = random_grams(7, queries, RandomKey(42));
    for (const char* method : {"kdgqa", "dgqa"}) {
      const MethodResult result = run(method, problem, &grams, 43);
      CHECK(result.evaluations == 7);
      merged_sizes += 7 - static_cast<int>(result.front.size());
      double last = 0;
      for (const ModelPoint& point : result.front) {
        CHECK(point.objectives.size > last);
        last = point.objectives.size;
        CHECK(point.objectives == problem.objectives(point.grouping));
        const Partition& pooled = point.grouping.layers[0].keys;
        CHECK(pooled == Partition::neighbours(7, pooled.groups()));
        for (std::size_t layer = 0; layer < 2; ++layer) {
          const LayerGrouping& found = point.grouping.layers[layer];
          CHECK(found.keys == pooled);
          CHECK(found.shares_partition());
          REQUIRE(found.query_to_group.size() == static_cast<std::size_t>(queries));
          CHECK(std::is_sorted(found.query_to_group.begin(), found.query_to_group.end()));
          if (std::string(method) != "kdgqa") continue;
          std::vector<int> counts(static_cast<std::size_t>(pooled.groups()));
          for (const Group group : found.query_to_group) ++counts[group.at()];
          CHECK(counts ==
                deal_kdgqa(summed_norms(pooled_norms(grams.layers[layer], pooled)), queries));
        }
      }
      CHECK(result.front.front().grouping.layers[0].keys.groups() == 1);
    }
  }
  CHECK(merged_sizes > 0);
}

TEST_CASE("of allocations that store the same, the cheapest is the point") {
  int contested = 0;
  int later = 0;  // cheapest with more groups than another of its size
  for (std::uint64_t trial = 0; trial < 120; ++trial) {
    const GroupingProblem problem =
        random_problem(2, 7, PartitionSharing::kJoint, RandomKey(47).split(trial));
    const KeyGrams grams = random_grams(7, 7, RandomKey(48).split(trial));
    std::map<double, std::vector<ModelPoint>> by_size;
    for (int groups = 1; groups <= 7; ++groups) {
      const Partition pooled = Partition::neighbours(7, groups);
      Grouping grouping;
      for (const auto& windows : grams.layers) {
        const auto counts = deal_kdgqa(summed_norms(pooled_norms(windows, pooled)), 7);
        grouping.layers.push_back({pooled, pooled, allocate_in_order(counts)});
      }
      const ModelPoint point = problem.point(grouping);
      by_size[point.objectives.size].push_back(point);
    }
    const MethodResult result = run("kdgqa", problem, &grams, 1);
    REQUIRE(result.front.size() == by_size.size());
    std::size_t at = 0;
    for (const auto& [size, points] : by_size) {
      const auto best = std::min_element(points.begin(), points.end(), [](auto& a, auto& b) {
        return a.objectives.error < b.objectives.error;
      });
      CHECK(result.front[at++].objectives == best->objectives);
      contested += points.size() > 1 ? 1 : 0;
      later += best != points.begin() ? 1 : 0;
    }
  }
  CHECK(contested > 40);
  CHECK(later > 3);
}

TEST_CASE("DGQA depends on its kind and its key, and repeats") {
  const GroupingProblem problem = random_problem(2, 7, PartitionSharing::kJoint, RandomKey(41));
  const KeyGrams grams = random_grams(7, 28, RandomKey(44));
  const auto groupings = [&](std::uint64_t seed, DgqaKind kind) {
    std::vector<Grouping> all;
    for (const ModelPoint& point :
         run(KeyNormMethod(KeyNormDeal::kReplayed, kind), problem, &grams, seed).front) {
      all.push_back(point.grouping);
    }
    return all;
  };
  const auto ema = groupings(1, DgqaKind::kEma);
  CHECK(ema == groupings(1, DgqaKind::kEma));
  CHECK(ema != groupings(1, DgqaKind::kDiff));
  int other_draws = 0;
  for (std::uint64_t seed = 2; seed < 12; ++seed) {
    other_draws += groupings(seed, DgqaKind::kEma) != ema ? 1 : 0;
  }
  CHECK(other_draws > 0);
}

TEST_CASE("where key norms are equal, KDGQA is neighbour GQA") {
  const GroupingProblem problem = random_problem(2, 4, PartitionSharing::kJoint, RandomKey(45));
  const std::vector<Eigen::MatrixXd> windows = {Eigen::MatrixXd::Identity(4, 4)};
  const KeyGrams grams{4, {windows, windows}};
  const MethodResult kdgqa = run("kdgqa", problem, &grams, 1);
  const MethodResult neighbour = run("neighbour", problem, nullptr, 1);
  // With 3 groups one has a smaller norm and is dealt nothing: the size of 2 groups again.
  REQUIRE(kdgqa.front.size() == 3);
  CHECK(kdgqa.front[0].objectives.error == Approx(neighbour.front[0].objectives.error));
  CHECK(kdgqa.front[1].objectives.error <= neighbour.front[1].objectives.error * (1 + 1e-12));
  CHECK(kdgqa.front[2].objectives.error == 0);
  CHECK(kdgqa.front[2].grouping.is_source());
}

TEST_CASE("key-norm methods keep to the rules") {
  GroupingRules rules;
  rules.min_groups = 2;
  rules.max_groups = 5;
  rules.frozen_layers = {1};
  rules.kv_heads_limit = 14 + 6;
  const GroupingProblem problem = random_problem(2, 7, rules, RandomKey(49));
  const KeyGrams grams = random_grams(7, 28, RandomKey(50));
  for (const char* method : {"kdgqa", "dgqa"}) {
    const MethodResult result = run(method, problem, &grams, 51);
    REQUIRE_FALSE(result.front.empty());
    for (const ModelPoint& point : result.front) {
      CHECK(point.objectives.size <= 20);
      const LayerGrouping& dealt = point.grouping.layers[0];
      CHECK(dealt.keys.groups() >= 2);
      CHECK(dealt.keys.groups() <= 5);
      CHECK(dealt.has_allocation());
      CHECK(point.grouping.layers[1].is_source());
      CHECK_FALSE(point.grouping.layers[1].has_allocation());
    }
  }
  rules.kv_heads_limit.reset();
  const GroupingProblem unlimited = random_problem(2, 7, rules, RandomKey(49));
  CHECK(run("kdgqa", unlimited, &grams, 51).front.back().objectives.size > 20);
}

TEST_CASE("key-norm methods need key norms, the others do not") {
  const GroupingProblem problem = random_problem(2, 4, PartitionSharing::kJoint, RandomKey(46));
  for (const std::string_view name : method_names()) {
    CHECK(make_method(name)->allocates_queries() == (name == "kdgqa" || name == "dgqa"));
  }
  CHECK_THROWS_AS(run("kdgqa", problem, nullptr, 1), WorkError);
}
