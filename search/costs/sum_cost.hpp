#pragma once

#include <memory>
#include <vector>

#include "search/costs/cost_table.hpp"

namespace regroup::search {

/// A table as part of a sum.
struct WeightedTable {
  std::shared_ptr<const CostTable> table;
  double weight = 1;
};

/// The weighted sum of the costs of several tables of the same heads, such as keys and values that
/// share their partition: cost(g) = Σ weight · cost of the part. Whether a part remembers its
/// prices is its own affair.
class SumCost : public CostTable {
 public:
  /// Throws InputError for no parts, for parts of different numbers of heads, and for a weight that
  /// is negative or not finite.
  explicit SumCost(std::vector<WeightedTable> parts);

  int heads() const override { return parts_.front().table->heads(); }
  double group_cost(std::span<const Head> members) const override;
  double serving_cost(Head head, std::span<const Head> members) const override;
  double work(int members) const override;
  /// By pairs (`pair_sketch`) if a part has one.
  std::shared_ptr<const CostTable> sketch() const override;
  /// True if all parts grow.
  bool grows() const override;
  /// The sum of the parts' bounds (SumRelaxation).
  std::unique_ptr<const Relaxation> relaxation() const override;

 private:
  std::vector<WeightedTable> parts_;
};

}  // namespace regroup::search
