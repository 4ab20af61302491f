#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <span>

#include "search/costs/cost_table.hpp"

namespace regroup::search {

/// A cost table whose groups are expensive to price, such as by an eigenproblem each: a group is
/// priced when it is first asked for and remembered by its set of heads. What a caller sees does
/// not depend on what is remembered.
///
/// Any number of threads may price groups at once. No lock is held while a group is being priced,
/// so two threads that ask for the same new group at the same time both price it.
///
/// A remembered group takes about 40 bytes for up to 64 heads and n / 8 bytes more for n beyond; it
/// is kept as long as the table.
class SubsetCost : public CostTable {
 public:
  /// Throws InputError unless 1 ≤ heads ≤ Partition::kMaxHeads.
  explicit SubsetCost(int heads);
  ~SubsetCost() override;

  int heads() const final { return heads_; }
  /// O(n / 16) expected for a group that is remembered. Throws WorkError if the price is negative,
  /// infinite or NaN.
  double group_cost(std::span<const Head> members) const final;
  /// By pairs (`pair_sketch`).
  std::shared_ptr<const CostTable> sketch() const override;
  /// Distinct groups of two heads and more that are remembered.
  std::size_t priced() const { return priced_; }

 protected:
  /// The price of at least two distinct heads, ascending: the same for the same heads, finite and
  /// ≥ 0. Called from several threads at once.
  virtual double compute_cost(std::span<const Head> members) const = 0;

 private:
  class Memo;

  int heads_;
  std::unique_ptr<Memo> memo_;
  mutable std::atomic<std::size_t> priced_{0};
};

}  // namespace regroup::search
