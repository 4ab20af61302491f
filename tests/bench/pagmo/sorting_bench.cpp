// pagmo2's non-dominated sorting. It takes time and memory in N², so 100,000 points are left out: a
// minute or more for those of one front, tens of gigabytes for those of the square.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <pagmo/utils/multi_objective.hpp>

#include "tests/bench/support/agreement.hpp"
#include "tests/bench/support/points.hpp"

namespace {

using namespace regroup;

using PointMaker = std::vector<search::Objectives>(std::int64_t);

void sort_points_pagmo(benchmark::State& state, PointMaker* make) {
  const auto points = make(state.range(0));
  std::vector<pagmo::vector_double> theirs;
  for (const search::Objectives& point : points) theirs.push_back({point.size, point.error});
  const auto ranks = std::get<3>(pagmo::fast_non_dominated_sorting(theirs));
  bench::require(std::ranges::equal(ranks, search::non_dominated_ranks(points), {},
                                    [](auto rank) { return static_cast<int>(rank); }),
                 "pagmo2 ranks the points otherwise");
  for (auto unused : state) benchmark::DoNotOptimize(pagmo::fast_non_dominated_sorting(theirs));
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK_CAPTURE(sort_points_pagmo, square, bench::square_points)
    ->RangeMultiplier(10)
    ->Range(100, 10000)
    ->MeasureProcessCPUTime();
BENCHMARK_CAPTURE(sort_points_pagmo, front, bench::front_points)
    ->RangeMultiplier(10)
    ->Range(100, 10000)
    ->MeasureProcessCPUTime();

}  // namespace
