#include "search/methods/baseline_methods.hpp"

#include <map>

#include "search/base/error.hpp"
#include "search/problem/baselines.hpp"

namespace regroup::search {

MethodResult NeighbourMethod::run(const GroupingProblem& problem, const MethodContext&) const {
  MethodResult result;
  for (int groups = 1; groups <= problem.heads(); ++groups) {
    const ModelPoint point = problem.point(neighbour_grouping(problem, groups));
    if (point.objectives.size > problem.kv_heads_limit()) break;
    // Where the rules leave out some numbers, several give the same grouping.
    if (!result.front.empty() && result.front.back().grouping == point.grouping) continue;
    result.front.push_back(point);
  }
  result.evaluations = result.front.size();
  for (const Unit& unit : problem.units()) {
    result.units.emplace_back();
    for (const int groups : unit.group_counts) {
      const Partition partition = Partition::neighbours(unit.heads(), groups);
      result.units.back().push_back({partition, unit.costs->partition_cost(partition)});
    }
  }
  return result;
}

MethodResult MqaMethod::run(const GroupingProblem& problem, const MethodContext&) const {
  return {{problem.point(mqa_grouping(problem))}, {}, 1};
}

MethodResult RandomMethod::run(const GroupingProblem& problem, const MethodContext& context) const {
  const int step = problem.sharing() == PartitionSharing::kJoint ? 2 : 1;
  std::map<double, ModelPoint> best;  // by size: what the rules allow may be smaller than asked for
  MethodResult result;
  for (int size = problem.smallest_kv_heads(); size <= problem.kv_heads_limit(); size += step) {
    if (context.stop.stop_requested()) throw Interrupted();
    const RandomKey size_key = context.key.split(static_cast<std::uint64_t>(size));
    for (int draw = 0; draw < kRandomDraws; ++draw) {
      const ModelPoint point = problem.point(
          random_grouping(problem, size, size_key.split(static_cast<std::uint64_t>(draw))));
      const auto [place, is_first] = best.try_emplace(point.objectives.size, point);
      if (!is_first && point.objectives.error < place->second.objectives.error) {
        place->second = point;
      }
      ++result.evaluations;
    }
  }
  for (const auto& [size, point] : best) result.front.push_back(point);
  return result;
}

}  // namespace regroup::search
