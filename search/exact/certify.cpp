#include "search/exact/certify.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "search/base/error.hpp"
#include "search/base/parallel.hpp"
#include "search/costs/descent.hpp"
#include "search/costs/pricing_work.hpp"
#include "search/costs/relaxation.hpp"
#include "search/exact/subset_dp.hpp"

namespace regroup::search {
namespace {

/// Work of all relaxations, in the units of `steps_within`: about ten seconds on one processor.
constexpr double kWork = 1.5e9;
constexpr int kMostSteps = 60;

/// Steps of each relaxation, of which there is one for every unit and number of groups: a step of n
/// heads takes time in n³.
int steps_within(const GroupingProblem& problem) {
  const double heads = problem.heads();
  const double step = heads * heads * heads * heads * static_cast<double>(problem.units().size());
  return static_cast<int>(std::min<double>(kMostSteps, kWork / step));
}

/// The partition that a local search reaches from the neighbours, and a bound for its number of
/// groups.
BoundedPartition bounded(const CostTable& table, const Relaxation& relaxation, int groups,
                         GroupSizes sizes, int steps) {
  // Only the bound counts where improving the partition is dear.
  const double most_work = is_costly(table) ? 0 : std::numeric_limits<double>::infinity();
  const auto moves =
      sizes == GroupSizes::kEqual ? DescentMoves::kSwaps : DescentMoves::kMovesAndSwaps;
  BoundedPartition result{
      descend(table, Partition::neighbours(table.heads(), groups), moves, most_work)};
  result.cost = table.partition_cost(result.partition);
  if (groups < table.heads()) {
    const auto all = PartitionSubset::all(table.heads());
    result.bound = std::min(result.cost, relaxation.relax(all, groups, result.cost, steps).bound);
  }
  result.is_optimal = result.cost <= result.bound;
  return result;
}

}  // namespace

std::vector<ProvenUnit> bound_units(const GroupingProblem& problem, GroupSizes sizes,
                                    const MethodContext& context) {
  const bool all_small =
      std::ranges::all_of(problem.units(), [](const Unit& unit) { return is_small(*unit.costs); });
  if (all_small) return solve_units(problem, {.sizes = sizes}, context);
  const int steps = steps_within(problem);
  std::vector<ProvenUnit> units(problem.units().size());
  context.progress.begin("bounding the best front", units.size(), "layers");
  parallel_for(units.size(), [&](std::size_t u) {
    const Unit& unit = problem.units()[u];
    const std::unique_ptr<const Relaxation> relaxation = unit.costs->relaxation();
    for (const int groups : unit.group_counts) {
      if (context.stop.stop_requested()) throw Interrupted();
      if (sizes == GroupSizes::kEqual && unit.heads() % groups != 0) continue;
      units[u].push_back(bounded(*unit.costs, *relaxation, groups, sizes, steps));
    }
    context.progress.advance(1);
  });
  context.progress.end();
  return units;
}

Certificate certify(const GroupingProblem& problem, std::span<const ModelPoint> front,
                    const FrontBounds& known) {
  std::vector<Objectives> points;
  for (const ModelPoint& point : front) points.push_back(point.objectives);
  const auto area = [&](std::span<const Objectives> objectives) {
    return hypervolume(objectives, problem.source_kv_heads(), problem.one_group_error());
  };
  return {area(points), area(known.bounds), known.is_exact, worst_gap(front, known.bounds)};
}

}  // namespace regroup::search
