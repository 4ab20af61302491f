// Generations of the search engine on the grouping task, one thread, made as stage 1 of QCQA makes
// them but without its seeds; pagmo/generations_bench.cpp has pagmo2's NSGA-II on the same task.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>

#include "search/evolution/memo_evaluator.hpp"
#include "search/evolution/nsga2.hpp"
#include "search/evolution/variations/arbitrary_groups.hpp"
#include "tests/bench/support/agreement.hpp"
#include "tests/bench/support/grouping_task.hpp"

namespace {

using namespace regroup;
using bench::GroupingTask;

/// WSE by its definition, Σ (D_ij over the pairs of a group) / (size of the group), from the cost
/// of pairs alone.
double naive_cost(const search::CostTable& costs, std::span<const search::Label> labels) {
  double total = 0;
  for (const auto& group : search::Partition::from_labels(labels).members()) {
    double distances = 0;
    for (std::size_t i = 0; i < group.size(); ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        distances += 2 * costs.group_cost(std::vector{group[i], group[j]});
      }
    }
    total += distances / static_cast<double>(group.size());
  }
  return total;
}

void check_task(const GroupingTask& task, const search::Variation& variation) {
  search::RandomStream random{search::RandomKey(5)};
  search::Genomes candidates(variation.genes());
  for (int i = 0; i < 100; ++i) variation.sample(random, candidates.append_blank());
  std::vector<search::Objectives> objectives(candidates.size());
  task.evaluate(candidates, objectives);
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    const double expected = naive_cost(task.costs(), std::as_const(candidates)[i]);
    bench::require(std::abs(objectives[i].error - expected) <= 1e-12 * expected,
                   "the evaluator's error is not the WSE");
  }
}

void generations(benchmark::State& state) {
  const GroupingTask task;
  const search::ArbitraryGroups variation(GroupingTask::kHeads, 1, GroupingTask::kHeads);
  check_task(task, variation);
  const search::Nsga2Options options{.population = static_cast<int>(state.range(0)),
                                     .generations = static_cast<int>(state.range(1))};
  double hypervolume = 0;
  for (auto unused : state) {
    state.PauseTiming();
    const search::MemoEvaluator memo(task, variation.genes());
    search::Nsga2 search(variation, memo, search::Genomes(variation.genes()), options,
                         search::RandomKey(6));
    search.step();  // pagmo2's first population is not timed either
    state.ResumeTiming();
    while (!search.is_done()) search.step();
    state.PauseTiming();
    hypervolume = task.hypervolume(search.state().objectives);
    state.ResumeTiming();
  }
  state.SetItemsProcessed(state.iterations() * state.range(1));
  state.counters["hypervolume"] = hypervolume;
}
BENCHMARK(generations)
    ->ArgNames({"population", "generations"})
    ->Args({200, 50})
    ->Args({2000, 50})
    ->UseRealTime()
    ->MeasureProcessCPUTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace
