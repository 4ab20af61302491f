#include "search/costs/spectral_relaxation.hpp"

#include <algorithm>
#include <utility>

#include "search/base/error.hpp"

namespace regroup::search {

SpectralRelaxation::SpectralRelaxation(const CostTable& table, std::vector<double> bounds)
    : blocks_(table), bounds_(std::move(bounds)) {
  if (bounds_.size() == static_cast<std::size_t>(table.heads())) return;
  throw InputError({.what = "a layer needs a bound for every number of groups",
                    .expected = std::to_string(table.heads()),
                    .found = std::to_string(bounds_.size())});
}

RelaxedSubset SpectralRelaxation::relax(const PartitionSubset& subset, int groups, double cutoff,
                                        int effort) const {
  RelaxedSubset result = blocks_.relax(subset, groups, cutoff, effort);
  result.bound = std::max(result.bound, bounds_[static_cast<std::size_t>(groups - 1)]);
  return result;
}

}  // namespace regroup::search
