// Times to a front of the whole model: the exact one, and QCQA's within 0.1 % of its hypervolume.

#include <benchmark/benchmark.h>

#include <cmath>

#include "search/base/parallel.hpp"
#include "search/exact/certify.hpp"
#include "search/exact/exact_front.hpp"
#include "search/problem/enumeration.hpp"
#include "search/qcqa/qcqa_methods.hpp"
#include "tests/bench/support/agreement.hpp"
#include "tests/bench/support/head_problem.hpp"
#include "tests/support/random_tables.hpp"
#include "tests/support/run_method.hpp"

namespace {

using namespace regroup;
using bench::require;

constexpr double kNear = 0.999;  // of the exact hypervolume

/// The exact method finds what pricing every grouping finds, on 2 layers of 5 heads.
void check_exact() {
  const auto problem = bench::head_problem(2, 5, 20, search::RandomKey(8));
  std::vector<search::Objectives> all;
  search::for_each_partition(5, [&](const search::Partition& first) {
    search::for_each_partition(5, [&](const search::Partition& second) {
      all.push_back(problem.objectives(problem.grouping(std::vector{first, second})));
    });
  });
  const auto result = tests::run_method("exact", problem, 9);
  const double expected =
      search::hypervolume(all, problem.source_kv_heads(), problem.one_group_error());
  require(std::abs(result.certificate->hypervolume - expected) <= 1e-12,
          "the exact front is not that of all groupings");
}

/// The certificate's counters: the part of the best hypervolume, the worst gap of a point.
void count(benchmark::State& state, const search::Certificate& certificate) {
  state.counters["fraction"] = certificate.fraction();
  state.counters["worst_gap"] = certificate.worst_gap;
  state.counters["is_exact"] = certificate.is_exact ? 1 : 0;
}

void exact_front(benchmark::State& state) {
  check_exact();
  const auto problem =
      bench::head_problem(static_cast<int>(state.range(0)), static_cast<int>(state.range(1)),
                          static_cast<int>(state.range(2)), search::RandomKey(10));
  search::set_threads(static_cast<int>(state.range(3)));
  search::MethodResult result;
  for (auto unused : state) result = tests::run_method("exact", problem, 11);
  search::set_threads(1);
  count(state, *result.certificate);
}
BENCHMARK(exact_front)
    ->ArgNames({"layers", "heads", "length", "threads"})
    ->ArgsProduct({{12}, {12}, {200, 2000}, {1, 2}})
    ->ArgsProduct({{48}, {16}, {2000}, {1, 2}})
    ->ArgsProduct({{32}, {32}, {200, 2000}, {2}})
    ->UseRealTime()
    ->MeasureProcessCPUTime()
    ->Unit(benchmark::kMillisecond);

search::MethodResult run_qcqa(const search::GroupingProblem& problem, int generations) {
  const search::QcqaMethod method(search::GroupSizes::kArbitrary, {.generations = generations});
  return tests::run_method(method, problem, 12);
}

search::Certificate certify(const search::GroupingProblem& problem,
                            const search::MethodResult& result,
                            const search::CertifiedFront& exact) {
  return search::certify(problem, result.front, exact);
}

/// Whole runs of QCQA on 12 layers of 12 heads, of as many generations as it takes to come near the
/// exact front, and of the default number.
void qcqa_front(benchmark::State& state) {
  const auto problem =
      bench::head_problem(12, 12, static_cast<int>(state.range(0)), search::RandomKey(10));
  const tests::QuietContext context(13);
  const auto exact = search::exact_front(problem, search::solve_units(problem, {}, *context));
  require(exact.is_exact, "12 heads are not solved exactly");
  search::set_threads(static_cast<int>(state.range(2)));
  int generations = search::Nsga2Options{}.generations;
  if (state.range(1) != 0) {
    for (generations = 0;
         certify(problem, run_qcqa(problem, generations), exact).fraction() < kNear;) {
      generations = generations == 0 ? 1 : 2 * generations;
      require(generations <= 1000, "QCQA does not come near the exact front");
    }
  }
  search::MethodResult result;
  for (auto unused : state) result = run_qcqa(problem, generations);
  search::set_threads(1);
  count(state, certify(problem, result, exact));
  state.counters["generations"] = generations;
}
BENCHMARK(qcqa_front)
    ->ArgNames({"length", "near", "threads"})
    ->ArgsProduct({{6, 200}, {1, 0}, {1, 2}})
    ->UseRealTime()
    ->MeasureProcessCPUTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace
