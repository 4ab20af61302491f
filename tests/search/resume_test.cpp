// Budgets and state of evolutionary searches: a search that goes on from any generation ends like
// one that was never broken off.

#include "search/base/error.hpp"
#include "search/evolution/nsga2.hpp"
#include "search/evolution/variations/arbitrary_groups.hpp"
#include "search/qcqa/qcqa_methods.hpp"
#include "search/qcqa/qcqa_state.hpp"
#include "tests/search/naive_pareto.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/random_tables.hpp"
#include "tests/support/run_method.hpp"

using namespace regroup;
using namespace regroup::search;
using namespace regroup::tests;

namespace {

/// Keeps every state; may begin at one of another's, and throws after a number of states as a kill
/// would end the run.
class RecordingStore : public StateStore {
 public:
  std::optional<std::string> load(std::string_view name) const override {
    CHECK(name == kQcqaRecord);
    return first ? std::optional(record_of(*first)) : std::nullopt;
  }
  void save(std::string_view name, std::string record) override {
    CHECK(name == kQcqaRecord);
    states.push_back(qcqa_state_of(record));
    CHECK(record_of(states.back()) == record);
    if (states.size() == stop_after) throw Interrupted();
  }

  std::optional<QcqaState> first;
  std::vector<QcqaState> states;
  std::size_t stop_after = 0;
};

MethodResult run_with(StateStore& store, const GroupingProblem& problem,
                      const QcqaOptions& options) {
  SilentProgress silent;
  return QcqaMethod(GroupSizes::kArbitrary, options)
      .run(problem, {RandomKey(5), {}, silent, store});
}

class SumEvaluator : public Evaluator {
 public:
  void evaluate(const Genomes& candidates, std::span<Objectives> objectives) const override {
    for (std::size_t i = 0; i < candidates.size(); ++i) {
      double sum = 0;
      for (const Gene gene : candidates[i]) sum += gene;
      objectives[i] = {sum, 1 / (1 + sum)};
    }
  }
};

std::size_t units_evaluations(const QcqaState& state) {
  std::size_t sum = 0;
  for (const Nsga2State& unit : state.stage_one) sum += unit.evaluations;
  return sum;
}

}  // namespace

TEST_CASE("a search goes on from every one of its states to the same end") {
  const GroupingProblem problem = random_problem(3, 7, PartitionSharing::kJoint, RandomKey(71));
  const QcqaOptions options{.population = 24, .generations = 12};
  RecordingStore unbroken;
  const MethodResult expected = run_with(unbroken, problem, options);
  REQUIRE(unbroken.states.size() > 20);
  for (const QcqaState& state : unbroken.states) {
    RecordingStore resumed;
    resumed.first = state;
    check_equal(run_with(resumed, problem, options), expected);
  }
  // The state after each generation is what the unbroken run had then, times apart.
  RecordingStore broken;
  broken.stop_after = 5;
  CHECK_THROWS_AS(run_with(broken, problem, options), Interrupted);
  for (std::size_t i = 0; i < 5; ++i) {
    broken.states[i].seconds = unbroken.states[i].seconds;
    CHECK(broken.states[i] == unbroken.states[i]);
  }
}

TEST_CASE("a record that is cut is refused, wherever it ends") {
  const GroupingProblem problem = random_problem(2, 4, PartitionSharing::kJoint, RandomKey(77));
  RecordingStore store;
  run_with(store, problem, {.population = 6, .generations = 3});
  const std::string record = record_of(store.states.back());
  CHECK(qcqa_state_of(record) == store.states.back());
  for (std::size_t length = 0; length < record.size(); ++length) {
    CHECK_THROWS_AS(qcqa_state_of(std::string_view(record).substr(0, length)), WorkError);
  }
}

TEST_CASE("a search ends at its limit of evaluations") {
  const GroupingProblem problem = random_problem(3, 9, PartitionSharing::kJoint, RandomKey(72));
  RecordingStore store;
  const QcqaOptions options{.population = 20, .generations = 100, .evaluations = 330};
  run_with(store, problem, options);
  CHECK(units_evaluations(store.states.back()) == 330);
  CHECK(store.states.back().stage_two.evaluations <= 330);
}

TEST_CASE("a search ends after generations in vain") {
  const ArbitraryGroups variation(10, 1, 10);
  const SumEvaluator evaluator;
  Nsga2 search(variation, evaluator, Genomes(10),
               {.population = 30, .generations = 1000, .patience = 4}, RandomKey(1));
  std::vector<std::size_t> fronts;
  run_to_end(search, {}, [&](const Nsga2& now) { fronts.push_back(now.archive().size()); });
  CHECK(search.generation() < 1000);
  CHECK(search.generation() >= 4);
  CHECK(search.state().stalled == 4);
  CHECK(fronts[fronts.size() - 5] == fronts.back());
}

TEST_CASE("a limit of time ends both stages, after one generation at least") {
  const GroupingProblem problem = random_problem(3, 9, PartitionSharing::kJoint, RandomKey(73));
  // Over before anything is done, on any machine.
  const QcqaOptions options{.population = 20, .generations = 1'000'000, .seconds = 1e-9};
  RecordingStore store;
  const MethodResult found = run_with(store, problem, options);
  CHECK_FALSE(found.front.empty());
  REQUIRE(store.states.size() == 2);
  REQUIRE(store.states.back().stage_one.size() == 3);
  for (const Nsga2State& unit : store.states.back().stage_one) CHECK(unit.generation == 0);
  CHECK(store.states.back().stage_two.generation == 0);
}

TEST_CASE("seed groupings are searched from, wherever they come from") {
  // Without structure local search is of little help.
  const auto table = std::make_shared<RandomAdditive>(12, false, RandomKey(74));
  const GroupingProblem problem({{table, table, table}}, {});
  const MethodResult exact = run_method("exact", problem, 1);
  // Only the first population, little room for luck: what is found there was seeded.
  const QcqaMethod method(GroupSizes::kArbitrary, {.population = 40, .generations = 0});
  const auto error_at = [&](const MethodResult& found, double size) {
    double least = 1e300;
    for (const ModelPoint& point : found.front) {
      if (point.objectives.size <= size) least = std::min(least, point.objectives.error);
    }
    return least;
  };
  const ModelPoint& planted = exact.front[exact.front.size() / 3];
  const double without = error_at(run_method(method, problem, 1), planted.objectives.size);
  const QuietContext quiet(1);
  MethodContext context = *quiet;
  context.seeds = {&planted.grouping, 1};
  const double with = error_at(method.run(problem, context), planted.objectives.size);
  CHECK(with == Approx(planted.objectives.error));
  CHECK(without > with);
}

TEST_CASE("infeasible candidates rank behind all feasible ones, the smaller before the larger") {
  RandomStream random{RandomKey(75)};
  for (int draw = 0; draw < 50; ++draw) {
    std::vector<Objectives> points(30);
    for (Objectives& point : points) {
      point = {1.0 * random.below(8), 1.0 * random.below(8)};
    }
    const double limit = 1.0 * random.below(9);
    const std::vector<int> ranks = constrained_ranks(points, limit);
    const auto beats = [&](const Objectives& a, const Objectives& b) {
      return naive_beats_within(limit, a, b);
    };
    CHECK(ranks == naive_ranks(points, beats));
  }
}

TEST_CASE("a search under a limit keeps to it and is better there than one that was cut") {
  const GroupingProblem whole = random_problem(6, 10, PartitionSharing::kJoint, RandomKey(76));
  const GroupingProblem limited = random_problem(6, 10, {.kv_heads_limit = 30}, RandomKey(76));
  const QcqaMethod method(GroupSizes::kArbitrary, {.population = 20, .generations = 20});
  const MethodResult found = run_method(method, limited, 1);
  const MethodResult cut = run_method(method, whole, 1);
  double best = 1e300;
  for (const ModelPoint& point : cut.front) {
    if (point.objectives.size <= 30) best = std::min(best, point.objectives.error);
  }
  CHECK(found.front.back().objectives.size <= 30);
  CHECK(found.front.back().objectives.error <= best);
}
