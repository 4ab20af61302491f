#pragma once

#include <memory>
#include <vector>

#include "search/exact/relaxation.hpp"

namespace regroup::search {

/// The bound for a weighted sum of tables: the sum of their bounds. The parts' dual multipliers do
/// not pass from a subset to its parts.
class SumRelaxation : public Relaxation {
 public:
  struct Part {
    std::unique_ptr<const Relaxation> relaxation;
    double weight = 1;
  };

  /// At least one part; weights ≥ 0.
  explicit SumRelaxation(std::vector<Part> parts);

  /// Decides next on what the part with the largest share of the bound finds hardest, the first of
  /// equal ones.
  RelaxedSubset relax(const PartitionSubset& subset, int groups, double cutoff,
                      int effort) const override;

 private:
  std::vector<Part> parts_;
};

}  // namespace regroup::search
