// Throughput of the search core. Each benchmark first checks that what it times is right.

#include <benchmark/benchmark.h>

#include <stdexcept>

#include "search/gram_cost.hpp"
#include "search/parallel.hpp"
#include "search/pareto.hpp"
#include "search/qcqa/stage_one.hpp"
#include "tests/support/random_tables.hpp"
#include "tests/support/run_method.hpp"

namespace {

using namespace regroup;

void require(bool right, const char* what) {
  if (!right) throw std::runtime_error(what);
}

std::vector<search::Objectives> random_points(std::int64_t count) {
  search::RandomStream random{search::RandomKey(1)};
  std::vector<search::Objectives> points(static_cast<std::size_t>(count));
  for (search::Objectives& point : points) point = {random.unit(), random.unit()};
  return points;
}

/// Every point of rank r > 0 is dominated by one of rank r − 1 and none of its own rank.
void check_ranks(const std::vector<search::Objectives>& points, const std::vector<int>& ranks) {
  for (std::size_t i = 0; i < points.size(); ++i) {
    bool dominated_before = ranks[i] == 0;
    for (std::size_t j = 0; j < points.size(); ++j) {
      if (!search::dominates(points[j], points[i])) continue;
      require(ranks[j] < ranks[i], "a point dominates another of its rank");
      dominated_before = dominated_before || ranks[j] == ranks[i] - 1;
    }
    require(dominated_before, "a rank is too high");
  }
}

void non_dominated_ranks(benchmark::State& state) {
  const auto small = random_points(500);
  check_ranks(small, search::non_dominated_ranks(small));
  const auto points = random_points(state.range(0));
  for (auto unused : state) benchmark::DoNotOptimize(search::non_dominated_ranks(points));
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(non_dominated_ranks)->RangeMultiplier(10)->Range(100, 100000);

/// QCQA stage 1 on 8 layers of `heads` heads; items are candidates priced.
void qcqa_stage_one(benchmark::State& state) {
  const int heads = static_cast<int>(state.range(0));
  search::set_threads(static_cast<int>(state.range(1)));
  const auto problem =
      tests::random_problem(8, heads, search::PartitionSharing::kJoint, search::RandomKey(2));
  const search::MethodOptions options{.nsga2 = {.population = 200, .generations = 50}};
  std::size_t evaluations = 0;
  const auto run = [&] {
    search::SearchState result;
    const auto fronts = search::qcqa_stage_one(problem, search::GroupSizes::kArbitrary, options,
                                               *tests::QuietContext(3), result);
    for (const auto& unit : result.stage_one) evaluations += unit.evaluations;
    return fronts;
  };
  for (const auto& front : run()) {
    require(front.front().partition.groups() == 1, "a front does not begin at one group");
  }
  evaluations = 0;
  for (auto unused : state) run();
  state.SetItemsProcessed(static_cast<std::int64_t>(evaluations));
  search::set_threads(1);
}
BENCHMARK(qcqa_stage_one)
    ->ArgsProduct({{8, 32, 128}, {1, 2}})
    ->ArgNames({"heads", "threads"})
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace
