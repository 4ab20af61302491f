#pragma once

#include <vector>

#include "search/costs/block_relaxation.hpp"

namespace regroup::search {

/// The bound for a table that comes with one for the whole layer at each number of groups, such as
/// the eigenvalues that k shared heads must discard at least (METHODS §8). It is the larger of that
/// one, which does not know what is joined, and of that of the blocks.
class SpectralRelaxation : public Relaxation {
 public:
  /// `bounds[k − 1]`: no partition into exactly k groups costs less, k from 1 to n; less than that
  /// by the rounding of its computation. `table` must outlive it. Throws InputError if there are
  /// not as many bounds as heads.
  SpectralRelaxation(const CostTable& table, std::vector<double> bounds);

  /// As BlockRelaxation beside the bound.
  RelaxedSubset relax(const PartitionSubset& subset, int groups, double cutoff,
                      int effort) const override;

 private:
  BlockRelaxation blocks_;
  std::vector<double> bounds_;
};

}  // namespace regroup::search
