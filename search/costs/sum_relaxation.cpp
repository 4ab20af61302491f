#include "search/costs/sum_relaxation.hpp"

#include <algorithm>
#include <utility>

namespace regroup::search {

SumRelaxation::SumRelaxation(const CostTable& sum, std::vector<Part> parts)
    : blocks_(sum), parts_(std::move(parts)) {}

RelaxedSubset SumRelaxation::relax(const PartitionSubset& subset, int groups, double cutoff,
                                   int effort) const {
  PartitionSubset without_dual = subset;
  without_dual.dual = nullptr;
  double bound = 0;
  for (const auto& [relaxation, weight] : parts_) {
    if (weight == 0) continue;
    // What the parts before have shown need not be shown again.
    const double open = (cutoff - bound) / weight;
    bound += weight * relaxation->relax(without_dual, groups, open, effort).bound;
  }
  RelaxedSubset result = blocks_.relax(without_dual, groups, cutoff, effort);
  result.bound = std::max(result.bound, bound);
  return result;
}

}  // namespace regroup::search
