#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "search/costs/cost_table.hpp"
#include "search/evolution/pareto.hpp"
#include "search/groupings/grouping.hpp"
#include "search/groupings/grouping_rules.hpp"

namespace regroup::search {

/// What grouping one layer costs. `joint` is the cost of one partition for keys and values alike:
/// for every partition the sum of the other two.
struct LayerCosts {
  std::shared_ptr<const CostTable> keys;
  std::shared_ptr<const CostTable> values;
  std::shared_ptr<const CostTable> joint;
};

/// One partition that a search has to choose.
struct Unit {
  std::string name;  ///< "layer 3", "layer 3 keys"
  std::shared_ptr<const CostTable> costs;
  /// What a group stores, in heads of the source: where groups are as wide as a head 2 if keys and
  /// values share the partition, else 1.
  int kv_heads_per_group = 2;
  std::vector<int> group_counts;  ///< numbers of groups that it may have, ascending, not empty

  int heads() const { return costs->heads(); }
  int fewest_groups() const { return group_counts.front(); }
  int most_groups() const { return group_counts.back(); }
  /// The largest number of groups it may have that is at most `groups`; the fewest if none is.
  int groups_within(int groups) const;
};

/// A grouping of the whole model and what it costs: KV heads, error.
struct ModelPoint {
  Grouping grouping;
  Objectives objectives;
};

/// A grouping search as pure combinatorics: the units to partition, and what a choice of partitions
/// means for the model. Immutable; any number of threads may read it.
class GroupingProblem {
 public:
  /// Units are ordered by layer, keys before values. Throws InputError for no layers, and for rules
  /// that contradict each other or that no grouping follows.
  GroupingProblem(std::vector<LayerCosts> layers, GroupingRules rules);

  const std::vector<Unit>& units() const { return units_; }
  int heads() const { return units_.front().costs->heads(); }  ///< H_kv, the same in all layers
  int layers() const { return static_cast<int>(layers_.size()); }
  const GroupingRules& rules() const { return rules_; }
  PartitionSharing sharing() const { return rules_.sharing; }
  int source_kv_heads() const;
  /// KV heads that a grouping may store at most, and those of the smallest one allowed.
  int kv_heads_limit() const { return rules_.kv_heads_limit.value_or(source_kv_heads()); }
  int smallest_kv_heads() const;
  /// Error of one group in every unit, the scale of a hypervolume.
  double one_group_error() const;

  /// The grouping that chooses partitions[u] for unit u.
  Grouping grouping(std::span<const Partition> partitions) const;
  /// The partition that a grouping of this model chooses for unit u; where keys and values share a
  /// unit, that of the keys.
  const Partition& partition_of(const Grouping& grouping, std::size_t u) const;
  /// Size, in heads of the source, and summed cost of any grouping of this model in groups of the
  /// problem's widths, whether or not keys and values share.
  Objectives objectives(const Grouping& grouping) const;
  ModelPoint point(const Grouping& grouping) const { return {grouping, objectives(grouping)}; }

 private:
  void require_reachable_limit() const;

  std::vector<LayerCosts> layers_;
  GroupingRules rules_;
  std::vector<Unit> units_;
};

}  // namespace regroup::search
