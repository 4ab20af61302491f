#pragma once

#include <memory>
#include <span>

#include "fitness/residual_cost.hpp"
#include "search/costs/subset_cost.hpp"

namespace regroup::fitness {

/// What groups leave unexplained whose shared head is as wide as several heads, for the optimal
/// merge (METHODS §7, "wide groups"): what ResidualCost is for one head. A subset of so many heads
/// costs nothing, a larger one O((|g| · d)³); smaller ones are not priced (FilledCost).
class WideCost : public search::SubsetCost {
 public:
  /// Of the heads that `narrow` prices by one, under its weights.
  WideCost(std::shared_ptr<const ResidualCost> narrow, int multiple);

  double work(int members) const override { return narrow_->work(members); }
  /// As that of ResidualCost, of k shared heads of this width.
  std::unique_ptr<const search::Relaxation> relaxation() const override;

  /// What it would cost to store nothing of any head: more than any group.
  double cost_of_nothing() const;

 protected:
  double compute_cost(std::span<const search::Head> members) const override;

 private:
  std::shared_ptr<const ResidualCost> narrow_;
  int multiple_;
};

}  // namespace regroup::fitness
