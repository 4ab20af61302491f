#include "search/exact/exact_front.hpp"

#include <algorithm>

#include "search/exact/option_front.hpp"

namespace regroup::search {
namespace {

/// The units' partitions at their cost or their lower bound.
std::vector<UnitOptions> options(const std::vector<ProvenUnit>& units,
                                 double BoundedPartition::*price) {
  std::vector<UnitOptions> result(units.size());
  for (std::size_t u = 0; u < units.size(); ++u) {
    for (const BoundedPartition& member : units[u]) {
      result[u].push_back({member.partition, member.*price});
    }
  }
  return result;
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
  result.front = option_front(problem, options(units, &BoundedPartition::cost));
  result.bounds = least_costs(option_splits(problem, options(units, &BoundedPartition::bound)));
  result.is_exact = std::ranges::all_of(units, [](const ProvenUnit& unit) {
    return std::ranges::all_of(unit, &BoundedPartition::is_optimal);
  });
  return result;
}

}  // namespace regroup::search
