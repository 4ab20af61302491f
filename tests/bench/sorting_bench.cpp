// Non-dominated sorting of N points; pagmo/sorting_bench.cpp has pagmo2's of the same points.

#include <benchmark/benchmark.h>

#include "tests/bench/support/agreement.hpp"
#include "tests/bench/support/points.hpp"

namespace {

using namespace regroup;
using bench::require;

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

using PointMaker = std::vector<search::Objectives>(std::int64_t);

void sort_points(benchmark::State& state, PointMaker* make) {
  const auto few = make(500);
  check_ranks(few, search::non_dominated_ranks(few));
  const auto points = make(state.range(0));
  for (auto unused : state) benchmark::DoNotOptimize(search::non_dominated_ranks(points));
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK_CAPTURE(sort_points, square, bench::square_points)
    ->RangeMultiplier(10)
    ->Range(100, 100000);
BENCHMARK_CAPTURE(sort_points, front, bench::front_points)->RangeMultiplier(10)->Range(100, 100000);

}  // namespace
