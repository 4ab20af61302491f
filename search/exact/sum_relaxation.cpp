#include "search/exact/sum_relaxation.hpp"

#include <limits>
#include <utility>

namespace regroup::search {

SumRelaxation::SumRelaxation(std::vector<Part> parts) : parts_(std::move(parts)) {}

RelaxedSubset SumRelaxation::relax(const PartitionSubset& subset, int groups, double cutoff,
                                   int effort) const {
  PartitionSubset without_dual = subset;
  without_dual.dual = nullptr;
  RelaxedSubset result;
  double largest = -std::numeric_limits<double>::infinity();
  for (const auto& [relaxation, weight] : parts_) {
    // What the parts before have shown need not be shown again.
    const double open = weight > 0 ? (cutoff - result.bound) / weight : 0;
    const RelaxedSubset part = relaxation->relax(without_dual, groups, open, effort);
    const double share = weight * part.bound;
    result.bound += share;
    if (share > largest) {
      largest = share;
      result.undecided = part.undecided;
    }
  }
  return result;
}

}  // namespace regroup::search
