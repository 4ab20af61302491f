#include "search/methods/baseline_methods.hpp"

#include <optional>

#include "search/baselines.hpp"
#include "search/error.hpp"

namespace regroup::search {

MethodResult NeighbourMethod::run(const GroupingProblem& problem, const MethodOptions&, RandomKey,
                                  std::stop_token, Progress&) const {
  MethodResult result;
  for (int groups = 1; groups <= problem.heads(); ++groups) {
    result.front.push_back(problem.point(
        Grouping::uniform(problem.layers(), Partition::neighbours(problem.heads(), groups))));
  }
  result.evaluations = result.front.size();
  return result;
}

MethodResult MqaMethod::run(const GroupingProblem& problem, const MethodOptions&, RandomKey,
                            std::stop_token, Progress&) const {
  const Grouping mqa = Grouping::uniform(problem.layers(), Partition::one_group(problem.heads()));
  return {{problem.point(mqa)}, {}, 1};
}

MethodResult RandomMethod::run(const GroupingProblem& problem, const MethodOptions&, RandomKey key,
                               std::stop_token stop, Progress&) const {
  const int step = problem.sharing() == PartitionSharing::kJoint ? 2 : 1;
  MethodResult result;
  for (int size = 2 * problem.layers(); size <= problem.source_kv_heads(); size += step) {
    if (stop.stop_requested()) throw Interrupted();
    std::optional<ModelPoint> best;
    for (int draw = 0; draw < kRandomDraws; ++draw) {
      const RandomKey draw_key =
          key.split(static_cast<std::uint64_t>(size)).split(static_cast<std::uint64_t>(draw));
      const ModelPoint point = problem.point(
          random_grouping(problem.layers(), problem.heads(), problem.sharing(), size, draw_key));
      if (!best || point.objectives.error < best->objectives.error) best = point;
      ++result.evaluations;
    }
    result.front.push_back(*best);
  }
  return result;
}

}  // namespace regroup::search
