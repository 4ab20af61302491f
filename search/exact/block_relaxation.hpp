#pragma once

#include "search/cost_table.hpp"
#include "search/exact/relaxation.hpp"

namespace regroup::search {

/// The bound for any additive table: what the blocks cost as they are where the table grows, since
/// a group costs at least what the blocks in it do together; else 0.
class BlockRelaxation : public Relaxation {
 public:
  /// `table` must outlive it.
  explicit BlockRelaxation(const CostTable& table) : table_(table) {}

  RelaxedSubset relax(const PartitionSubset& subset, int groups, double cutoff,
                      int effort) const override;

 private:
  const CostTable& table_;
};

}  // namespace regroup::search
