// pagmo2's NSGA-II on the grouping task: 32 integers, each a head's label. Its rates are ours where
// it has the same ones (crossover), else the usual one change per child.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <pagmo/algorithm.hpp>
#include <pagmo/algorithms/nsga2.hpp>
#include <pagmo/population.hpp>
#include <pagmo/problem.hpp>
#include <utility>

#include "search/base/random.hpp"
#include "tests/bench/support/agreement.hpp"
#include "tests/bench/support/grouping_task.hpp"

namespace {

using namespace regroup;
using bench::GroupingTask;

constexpr unsigned kSeed = 6;
constexpr double kCrossover = 0.9;
constexpr double kMutation = 1.0 / GroupingTask::kHeads;

/// The task as pagmo2 wants it.
struct LabelProblem {
  const GroupingTask* task = nullptr;

  pagmo::vector_double fitness(const pagmo::vector_double& genes) const {
    std::array<search::Label, GroupingTask::kHeads> labels;
    std::ranges::transform(genes, labels.begin(),
                           [](double gene) { return static_cast<search::Label>(gene); });
    const search::Objectives objectives = task->objectives(labels);
    return {objectives.size, objectives.error};
  }
  std::pair<pagmo::vector_double, pagmo::vector_double> get_bounds() const {
    return {pagmo::vector_double(GroupingTask::kHeads, 0.0),
            pagmo::vector_double(GroupingTask::kHeads, GroupingTask::kHeads - 1.0)};
  }
  pagmo::vector_double::size_type get_nobj() const { return 2; }
  pagmo::vector_double::size_type get_nix() const { return GroupingTask::kHeads; }
};

search::Objectives from_pagmo(const pagmo::vector_double& fitness) {
  return {fitness[0], fitness[1]};
}

/// Both engines price the same random labels alike.
void check_problem(const GroupingTask& task, const pagmo::problem& problem) {
  search::RandomStream random{search::RandomKey(7)};
  for (int i = 0; i < 100; ++i) {
    const int bound = 1 + i % GroupingTask::kHeads;
    pagmo::vector_double genes;
    search::Genomes genome(GroupingTask::kHeads);
    for (search::Gene& gene : genome.append_blank()) {
      gene = static_cast<search::Gene>(random.below(bound));
      genes.push_back(gene);
    }
    search::canonicalise(genome[0]);
    std::vector<search::Objectives> ours(1);
    task.evaluate(genome, ours);
    bench::require(ours[0] == from_pagmo(problem.fitness(genes)),
                   "the engines price a candidate differently");
  }
}

double hypervolume(const GroupingTask& task, const pagmo::population& population) {
  std::vector<search::Objectives> points;
  std::ranges::transform(population.get_f(), std::back_inserter(points), from_pagmo);
  return task.hypervolume(points);
}

void generations_pagmo(benchmark::State& state) {
  const GroupingTask task;
  const pagmo::problem problem{LabelProblem{&task}};
  check_problem(task, problem);
  const auto size = static_cast<pagmo::population::size_type>(state.range(0));
  const pagmo::population first(problem, size, kSeed);
  const pagmo::algorithm nsga2{
      pagmo::nsga2(static_cast<unsigned>(state.range(1)), kCrossover, 10, kMutation, 50, kSeed)};
  double reached = 0;
  for (auto unused : state) {
    const pagmo::algorithm fresh(nsga2);  // its draws begin anew
    reached = hypervolume(task, fresh.evolve(first));
  }
  state.SetItemsProcessed(state.iterations() * state.range(1));
  state.counters["hypervolume"] = reached;
}
BENCHMARK(generations_pagmo)
    ->ArgNames({"population", "generations"})
    ->Args({200, 50})
    ->Args({2000, 50})
    ->UseRealTime()
    ->MeasureProcessCPUTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace
