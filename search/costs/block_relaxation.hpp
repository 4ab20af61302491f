#pragma once

#include "search/costs/cost_table.hpp"
#include "search/costs/relaxation.hpp"

namespace regroup::search {

/// The bound for any additive table: 0, but where the table grows, what its blocks and the unions
/// of two of them say. Let d_ij ≥ 0 be what joining blocks i and j adds to their costs. A group of
/// r blocks costs at least what its blocks do and the d of any way to pair them up. The pairs of r
/// blocks divide into p(r) such ways, r − 1 of them or, if r is odd and one block is left over each
/// time, r; so the mean of them adds
///
///     Σ_{i<j} d_ij / p(r) ≥ Σ_i w_i(r),  w_i(r) = Σ of the r − 1 least d_ij / (2 p(r))
///
/// The bound is the least Σ_i w_i(r_i) over the blocks for which Σ_i 1 / r_i is the number of
/// groups, as it is for any partition; relaxed once more, to its Lagrangian dual. Pairs that must
/// stay apart count as infinitely dear.
class BlockRelaxation : public Relaxation {
 public:
  /// `table` must outlive it.
  explicit BlockRelaxation(const CostTable& table) : table_(table) {}

  /// O(m²) prices and O(m² log m) time for m blocks; `cutoff` and `effort` are not used. Decides
  /// next on the two blocks whose union adds least.
  RelaxedSubset relax(const PartitionSubset& subset, int groups, double cutoff,
                      int effort) const override;

 private:
  const CostTable& table_;
};

}  // namespace regroup::search
