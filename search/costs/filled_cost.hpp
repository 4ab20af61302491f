#pragma once

#include <memory>
#include <span>

#include "search/costs/cost_table.hpp"

namespace regroup::search {

/// Another table's costs of groups that store the width of several heads: one with fewer members
/// than that leaves room unused, which costs as much as is given for each member that is missing.
/// So the best partitions fill their groups, where their number allows it.
class FilledCost : public CostTable {
 public:
  /// `table` prices groups of `members` and more. `narrow` prices the same heads in groups of one
  /// head's width: its sketch ranks partitions here too. `missing` ≥ 0.
  FilledCost(std::shared_ptr<const CostTable> table, int members, double missing,
             std::shared_ptr<const CostTable> narrow);

  int heads() const override { return table_->heads(); }
  double group_cost(std::span<const Head> members) const override;
  double work(int members) const override;
  std::shared_ptr<const CostTable> sketch() const override;
  /// The table's own: no group costs less here.
  std::unique_ptr<const Relaxation> relaxation() const override;

 private:
  std::shared_ptr<const CostTable> table_;
  int members_;
  double missing_;
  std::shared_ptr<const CostTable> narrow_;
};

}  // namespace regroup::search
