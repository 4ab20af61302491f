#pragma once

#include <vector>

#include "search/groupings/partition.hpp"

namespace regroup::search {

class CostTable;

/// A partition on its way through a local search: heads move between group slots, and the change of
/// cost is known before the move is made. A slot that empties stays empty. Not thread-safe.
class PartitionState {
 public:
  explicit PartitionState(const Partition& partition);
  virtual ~PartitionState() = default;

  int heads() const { return static_cast<int>(slot_of_.size()); }
  int slots() const { return static_cast<int>(groups_.size()); }
  const std::vector<Head>& members(Group group) const { return groups_[group.at()]; }
  Group group_of(Head head) const { return slot_of_[head.at()]; }
  Partition partition() const;

  /// Cost of the partition as it is now.
  virtual double cost() const = 0;
  /// Change of cost if `head` moved to `target`; nothing changes.
  virtual double move_delta(Head head, Group target) const = 0;
  /// Change of cost if `a` and `b` changed places; nothing changes.
  virtual double swap_delta(Head a, Head b) const = 0;
  /// Puts `head` into `target`.
  virtual void move(Head head, Group target);
  /// Exchanges two heads of different groups.
  void swap(Head a, Head b);

 private:
  std::vector<std::vector<Head>> groups_;
  std::vector<Group> slot_of_;
};

/// The state of any cost table: prices the two groups concerned again for every question.
class RepricedState : public PartitionState {
 public:
  /// `table` must outlive the state.
  RepricedState(const CostTable& table, const Partition& partition);

  double cost() const override;
  double move_delta(Head head, Group target) const override;
  double swap_delta(Head a, Head b) const override;
  void move(Head head, Group target) override;

 private:
  double price_without(Group group, Head leaving) const;
  double price_with(Group group, Head joining) const;
  double price_exchanged(Group group, Head leaving, Head joining) const;

  const CostTable* table_;
  std::vector<double> prices_;  // by slot
};

}  // namespace regroup::search
