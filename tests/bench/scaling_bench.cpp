// How stage 1 of QCQA, where a search spends its time, grows with heads, layers, population and
// threads; items are candidates looked at.

#include <benchmark/benchmark.h>

#include <algorithm>

#include "search/base/parallel.hpp"
#include "search/qcqa/stage_one.hpp"
#include "tests/bench/support/agreement.hpp"
#include "tests/bench/support/head_problem.hpp"
#include "tests/support/run_method.hpp"

namespace {

using namespace regroup;

struct Scale {
  int layers = 8;
  int heads = 32;
  int population = 200;
  int generations = 50;
};

bool same_fronts(const std::vector<search::UnitFront>& a, const std::vector<search::UnitFront>& b) {
  const auto same_member = [](const search::FrontMember& x, const search::FrontMember& y) {
    return x.partition == y.partition && x.cost == y.cost;
  };
  return std::ranges::equal(a, b, [&](const search::UnitFront& x, const search::UnitFront& y) {
    return std::ranges::equal(x, y, same_member);
  });
}

/// Fronts of stage 1; adds the candidates looked at to `evaluations`.
std::vector<search::UnitFront> run(const search::GroupingProblem& problem, const Scale& scale,
                                   std::size_t& evaluations) {
  const search::QcqaOptions options{.population = scale.population,
                                    .generations = scale.generations};
  search::QcqaState state;
  auto fronts = search::qcqa_stage_one(problem, search::GroupSizes::kArbitrary, options,
                                       *tests::QuietContext(3), state);
  for (const auto& unit : state.stage_one) evaluations += unit.evaluations;
  return fronts;
}

void measure(benchmark::State& state, const Scale& scale, int threads) {
  const auto problem = bench::head_problem(scale.layers, scale.heads, 200, search::RandomKey(2));
  std::size_t evaluations = 0;
  search::set_threads(1);
  Scale small = scale;
  small.generations = 1;
  const auto serial = run(problem, small, evaluations);
  search::set_threads(threads);
  bench::require(same_fronts(serial, run(problem, small, evaluations)),
                 "the fronts depend on the number of threads");
  evaluations = 0;
  for (auto unused : state) run(problem, scale, evaluations);
  search::set_threads(1);
  state.SetItemsProcessed(static_cast<std::int64_t>(evaluations));
}

int argument(const benchmark::State& state, std::size_t i) {
  return static_cast<int>(state.range(i));
}

void scale_heads(benchmark::State& state) {
  measure(state, {.heads = argument(state, 0)}, argument(state, 1));
}
BENCHMARK(scale_heads)
    ->ArgsProduct({{8, 16, 32, 64, 128}, {1, 2}})
    ->ArgNames({"heads", "threads"})
    ->UseRealTime()
    ->MeasureProcessCPUTime()
    ->Unit(benchmark::kMillisecond);

void scale_layers(benchmark::State& state) {
  measure(state, {.layers = argument(state, 0)}, argument(state, 1));
}
BENCHMARK(scale_layers)
    ->ArgsProduct({{8, 16, 32, 64, 128}, {1, 2}})
    ->ArgNames({"layers", "threads"})
    ->UseRealTime()
    ->MeasureProcessCPUTime()
    ->Unit(benchmark::kMillisecond);

/// One layer; fewer generations for larger populations.
void scale_population(benchmark::State& state) {
  const int population = argument(state, 0);
  const int generations = std::clamp(100000 / population, 5, 50);
  measure(state, {.layers = 1, .population = population, .generations = generations},
          argument(state, 1));
}
BENCHMARK(scale_population)
    ->ArgsProduct({{100, 1000, 10000, 100000}, {1, 2}})
    ->ArgNames({"population", "threads"})
    ->UseRealTime()
    ->MeasureProcessCPUTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace
