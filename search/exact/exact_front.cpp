#include "search/exact/exact_front.hpp"

#include <algorithm>
#include <limits>

#include "search/exact/budget_split.hpp"

namespace regroup::search {
namespace {

/// Options of every unit, at their cost or their lower bound.
std::vector<std::vector<SplitOption>> options(const GroupingProblem& problem,
                                              const std::vector<ProvenUnit>& units,
                                              double BoundedPartition::*price) {
  std::vector<std::vector<SplitOption>> result;
  for (std::size_t u = 0; u < units.size(); ++u) {
    result.emplace_back();
    for (const BoundedPartition& member : units[u]) {
      const int size = problem.units()[u].kv_heads_per_group * member.partition.groups();
      result.back().push_back({size, member.*price});
    }
  }
  return result;
}

/// The place of the unit's member with so many groups; its number of members if it has none.
std::size_t place_of(const ProvenUnit& unit, int groups) {
  const auto found = std::ranges::find_if(
      unit, [&](const BoundedPartition& member) { return member.partition.groups() == groups; });
  return static_cast<std::size_t>(found - unit.begin());
}

/// One choice for every number of groups that all units may have.
std::vector<Split> uniform_splits(const std::vector<ProvenUnit>& units,
                                  const std::vector<std::vector<SplitOption>>& options, int limit) {
  std::vector<Split> splits;
  for (const BoundedPartition& member : units.front()) {
    Split split;
    for (std::size_t u = 0; u < units.size(); ++u) {
      const std::size_t place = place_of(units[u], member.partition.groups());
      if (place == units[u].size()) break;
      split.choice.push_back(static_cast<int>(place));
      split.size += options[u][place].size;
      split.cost += options[u][place].cost;
    }
    if (split.choice.size() == units.size() && split.size <= limit) splits.push_back(split);
  }
  return splits;
}

std::vector<Split> splits(const GroupingProblem& problem, const std::vector<ProvenUnit>& units,
                          double BoundedPartition::*price) {
  const auto unit_options = options(problem, units, price);
  const int limit = problem.kv_heads_limit();
  return problem.rules().shape == GroupShape::kStandard ? uniform_splits(units, unit_options, limit)
                                                        : budget_split(unit_options, limit);
}

Grouping grouping_of(const GroupingProblem& problem, const std::vector<ProvenUnit>& units,
                     const Split& split) {
  std::vector<Partition> partitions;
  for (std::size_t u = 0; u < units.size(); ++u) {
    partitions.push_back(units[u][static_cast<std::size_t>(split.choice[u])].partition);
  }
  return problem.grouping(partitions);
}

}  // namespace

double worst_gap(std::span<const ModelPoint> front, std::span<const Objectives> bounds) {
  double worst = 0;
  for (auto bound = bounds.begin(); const ModelPoint& point : front) {
    // The bound of the largest size up to the point's: those of smaller sizes are larger.
    while (std::next(bound) != bounds.end() && std::next(bound)->size <= point.objectives.size) {
      ++bound;
    }
    const double cost = point.objectives.error;
    if (cost > 0) worst = std::max(worst, (cost - bound->error) / cost);
  }
  return worst;
}

CertifiedFront exact_front(const GroupingProblem& problem, const std::vector<ProvenUnit>& units) {
  CertifiedFront result;
  double least = std::numeric_limits<double>::infinity();
  for (const Split& split : splits(problem, units, &BoundedPartition::cost)) {
    if (split.cost >= least) continue;
    least = split.cost;
    result.front.push_back(
        {grouping_of(problem, units, split), {static_cast<double>(split.size), split.cost}});
  }
  least = std::numeric_limits<double>::infinity();
  for (const Split& split : splits(problem, units, &BoundedPartition::bound)) {
    least = std::min(least, split.cost);
    result.bounds.push_back({static_cast<double>(split.size), least});
  }
  result.is_exact = std::ranges::all_of(units, [](const ProvenUnit& unit) {
    return std::ranges::all_of(unit, &BoundedPartition::is_optimal);
  });
  return result;
}

}  // namespace regroup::search
