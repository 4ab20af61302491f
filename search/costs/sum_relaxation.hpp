#pragma once

#include <memory>
#include <vector>

#include "search/costs/block_relaxation.hpp"

namespace regroup::search {

/// The bound for a weighted sum of tables: the sum of their bounds, or that of the summed costs as
/// of any table if it is larger. The parts' dual multipliers do not pass from a subset to its
/// parts.
class SumRelaxation : public Relaxation {
 public:
  struct Part {
    std::unique_ptr<const Relaxation> relaxation;
    double weight = 1;
  };

  /// `sum` is the table of the summed costs, which must outlive it; weights ≥ 0.
  SumRelaxation(const CostTable& sum, std::vector<Part> parts);

  /// Decides next as BlockRelaxation.
  RelaxedSubset relax(const PartitionSubset& subset, int groups, double cutoff,
                      int effort) const override;

 private:
  BlockRelaxation blocks_;
  std::vector<Part> parts_;
};

}  // namespace regroup::search
