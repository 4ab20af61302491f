#pragma once

#include <memory>
#include <span>

#include "search/costs/partition_state.hpp"
#include "search/groupings/partition.hpp"

namespace regroup::search {

class Relaxation;

/// What it costs to merge the heads of one layer: an error that adds up over the groups of a
/// partition. Solvers, local search and NSGA-II all read it.
///
/// Implementations are immutable after construction (or guard what they memoise), so any number of
/// threads may read one table. Costs are finite and ≥ 0; a single head costs 0.
class CostTable {
 public:
  virtual ~CostTable();
  virtual int heads() const = 0;
  /// Cost of merging `members`, distinct heads in any order, into one; no heads cost 0.
  virtual double group_cost(std::span<const Head> members) const = 0;
  /// Σ of `group_cost` over the groups of a canonical label vector of `heads()` entries.
  virtual double partition_cost(std::span<const Label> labels) const;

  /// Cost of letting the shared head of `members` stand for `head`, which need not be one of them;
  /// over the members themselves it adds up to `group_cost`. The default throws InputError: not
  /// every table can price a head outside its group.
  virtual double serving_cost(Head head, std::span<const Head> members) const;

  /// Multiplications that pricing a group of so many heads takes, roughly; 0 where they are too few
  /// to count.
  virtual double work(int /*members*/) const { return 0; }

  /// A local-search state at `partition`, which must not outlive the table. The default prices
  /// whole groups again; a table that knows the change of a move in less time gives its own.
  virtual std::unique_ptr<PartitionState> state(const Partition& partition) const;

  /// A cheap table that ranks partitions roughly as this one does, for searches to ask first; null
  /// where this one is cheap itself. It may price groups of this one.
  virtual std::shared_ptr<const CostTable> sketch() const { return nullptr; }

  /// Whether a group never costs less than disjoint parts of it do together.
  virtual bool grows() const { return false; }
  /// Lower bounds for this table, which must outlive them. The default knows no more than `grows`.
  virtual std::unique_ptr<const Relaxation> relaxation() const;

  double partition_cost(const Partition& partition) const {
    return partition_cost(partition.labels());
  }
};

}  // namespace regroup::search
