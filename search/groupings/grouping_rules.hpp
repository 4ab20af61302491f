#pragma once

#include <optional>
#include <string>
#include <vector>

namespace regroup::search {

/// Whether the keys and the values of a layer are grouped alike or each by their own partition.
enum class PartitionSharing { kJoint, kIndependent };

/// Which shapes of groupings may be found: what an engine's checkpoint layout can hold.
enum class GroupShape {
  kAny,       ///< groups of any size
  kPerLayer,  ///< groups of equal size within a layer; their number may differ between layers
  kStandard,  ///< one number of groups of equal size in all layers, as stock engines run it
};

/// The width of every group, in heads of the source.
struct GroupMultiples {
  int keys = 1;
  int values = 1;
  int head_dim = 0;  ///< of the source; read where a multiple is not 1

  bool are_heads() const { return keys == 1 && values == 1; }
  bool operator==(const GroupMultiples&) const = default;
};

/// The groupings that a search may find. Layers are numbered from 0, groups counted per unit.
struct GroupingRules {
  PartitionSharing sharing = PartitionSharing::kJoint;
  GroupShape shape = GroupShape::kAny;
  int min_groups = 1;                 ///< fewest groups of a unit
  int max_groups = 0;                 ///< most groups of a unit; 0: as many as it has heads
  std::vector<int> frozen_layers;     ///< left as they are: every head alone
  GroupMultiples multiples;           ///< of every layer that is not frozen
  std::optional<int> kv_heads_limit;  ///< most KV heads stored by the model; absent: the source's

  /// Those of a layer: heads where it is frozen.
  GroupMultiples multiples_of(int layer) const;
  bool operator==(const GroupingRules&) const = default;
  bool equal_sizes() const { return shape != GroupShape::kAny; }
};

/// Numbers of groups, each as wide as `multiple` heads, that a unit of `heads` heads in `layer` may
/// have, ascending: together they store no more than the source. Throws InputError, naming the
/// layer, if the rules leave none.
std::vector<int> allowed_group_counts(const GroupingRules& rules, int layer, int heads,
                                      int multiple = 1);

/// Throws InputError if the rules contradict each other for a model of `layers` layers: a frozen
/// layer that it does not have, apart partitions or frozen layers in a shape that excludes them.
void require_consistent(const GroupingRules& rules, int layers);

}  // namespace regroup::search
