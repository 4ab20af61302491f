// Every grouping of a small model, and the method that looks at all of them.

#include <set>

#include "search/base/error.hpp"
#include "search/methods/method_table.hpp"
#include "search/problem/enumeration.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/random_tables.hpp"
#include "tests/support/run_method.hpp"

using namespace regroup;
using namespace regroup::search;
using namespace regroup::tests;

namespace {

std::set<Grouping> all_groupings(const GroupingProblem& problem) {
  std::set<Grouping> all;
  const GroupingEnumeration enumeration(problem);
  std::size_t visited = 0;
  enumeration.for_each([&](const Grouping& grouping) {
    all.insert(grouping);
    ++visited;
  });
  CHECK(all.size() == visited);
  CHECK(visited <= enumeration.size());
  return all;
}

/// The negative of a sum of prices, so that nothing but the score can have led there.
class Reversed : public GroupingScore {
 public:
  explicit Reversed(const GroupingProblem& problem) : problem_(problem) {}
  std::vector<double> scores(std::span<const Grouping> groupings) const override {
    std::vector<double> scores;
    for (const Grouping& grouping : groupings) {
      scores.push_back(-problem_.objectives(grouping).error);
    }
    return scores;
  }

 private:
  const GroupingProblem& problem_;
};

}  // namespace

TEST_CASE("enumeration: as many groupings as the rules leave") {
  const RandomKey key(3);
  CHECK(all_groupings(random_problem(2, 4, GroupingRules{}, key)).size() == 15 * 15);
  CHECK(all_groupings(random_problem(1, 4, PartitionSharing::kIndependent, key)).size() == 15 * 15);
  // Equal sizes of 4 heads: one group, three times two pairs, all alone.
  CHECK(all_groupings(random_problem(2, 4, {.shape = GroupShape::kPerLayer}, key)).size() == 25);
  CHECK(all_groupings(random_problem(2, 4, {.shape = GroupShape::kStandard}, key)).size() == 11);
  CHECK(all_groupings(random_problem(2, 4, {.frozen_layers = {1}}, key)).size() == 15);
  // Two and three groups: S(4, 2) + S(4, 3).
  const GroupingRules middle{.min_groups = 2, .max_groups = 3};
  CHECK(all_groupings(random_problem(1, 4, middle, key)).size() == 7 + 6);
  for (const Grouping& grouping : all_groupings(random_problem(2, 3, {.kv_heads_limit = 6}, key))) {
    CHECK(grouping.kv_heads() <= 6);
  }
}

TEST_CASE("exhaustive: the front of the exact method, whatever the rules") {
  for (const GroupingRules& rules :
       {GroupingRules{}, GroupingRules{.sharing = PartitionSharing::kIndependent},
        GroupingRules{.shape = GroupShape::kPerLayer},
        GroupingRules{.shape = GroupShape::kStandard},
        GroupingRules{.min_groups = 2, .max_groups = 3}, GroupingRules{.kv_heads_limit = 9}}) {
    const GroupingProblem problem = random_problem(2, 4, rules, RandomKey(5));
    const MethodResult exact = run_method("exact", problem, 1);
    const MethodResult found = run_method("exhaustive", problem, 1);
    REQUIRE(found.front.size() == exact.front.size());
    for (std::size_t i = 0; i < found.front.size(); ++i) {
      CHECK(found.front[i].objectives.size == exact.front[i].objectives.size);
      CHECK(found.front[i].objectives.error == Approx(exact.front[i].objectives.error));
    }
  }
}

TEST_CASE("exhaustive: by a score, the best of every size that no smaller one beats") {
  const GroupingProblem problem = random_problem(2, 4, GroupingRules{}, RandomKey(6));
  const Reversed score(problem);
  const QuietContext quiet(1);
  MethodContext context = *quiet;
  context.score = &score;
  const MethodResult found = make_method("exhaustive")->run(problem, context);
  CHECK(found.evaluations == 225);
  CHECK(make_method("exhaustive")->candidates(problem) == 225);
  // The dearest grouping is the smallest one, and nothing larger is better.
  REQUIRE(found.front.size() == 1);
  CHECK(found.front[0].objectives.size == 4);
  CHECK(found.front[0].objectives.error == Approx(-problem.one_group_error()));
}

TEST_CASE("exhaustive: refuses what it cannot finish, and stops when asked") {
  CHECK_THROWS_AS(run_method("exhaustive", random_problem(4, 5, {}, RandomKey(7)), 1), InputError);
  CHECK_THROWS_AS(run_method("exhaustive", random_problem(1, 11, {}, RandomKey(7)), 1), InputError);
  CHECK_NOTHROW(require_enumerable(5, 4));
  CHECK_THROWS_AS(require_enumerable(6, 4), InputError);
  CHECK_THROWS_AS(require_enumerable(1, 11), InputError);
  QuietContext quiet(1);
  quiet.stop().request_stop();
  CHECK_THROWS_AS(make_method("exhaustive")->run(random_problem(2, 4, {}, RandomKey(8)), *quiet),
                  Interrupted);
}
