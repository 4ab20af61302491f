#pragma once

#include <compare>
#include <vector>

#include "search/groupings/partition.hpp"

namespace regroup::search {

/// How the KV heads of one attention layer are shared: keys and values each by a partition of the
/// same source KV heads, and which group serves each query head.
struct LayerGrouping {
  Partition keys;
  Partition values;
  /// An allocation (METHODS §4): for each of the H query heads the group that serves it. Keys and
  /// values then share their partition; a group that no query head names is not stored. Empty: each
  /// query head reads the group of its source KV head.
  std::vector<Group> query_to_group = {};

  bool shares_partition() const { return keys == values; }
  bool has_allocation() const { return !query_to_group.empty(); }
  /// Groups of the keys that some query head reads, ascending; O(H + H_kv).
  std::vector<Group> stored_keys() const { return stored(keys); }
  std::vector<Group> stored_values() const { return stored(values); }
  /// Key heads plus value heads that the layer stores per token, n_K + n_V.
  int kv_heads() const;
  /// True if every query head reads its source KV head and nothing else.
  bool is_source() const;
  bool operator==(const LayerGrouping&) const = default;
  auto operator<=>(const LayerGrouping&) const = default;

 private:
  std::vector<Group> stored(const Partition& partition) const;
};

/// The grouping of a whole model, one entry per attention layer. A value.
struct Grouping {
  std::vector<LayerGrouping> layers;

  /// Every layer by the same partition, keys and values alike.
  static Grouping uniform(int layers, const Partition& partition);

  /// Σ over layers of n_K + n_V.
  int kv_heads() const;
  /// The same for the source model: 2 · H_kv a layer.
  int source_kv_heads() const;
  /// KV-cache size relative to the source, in (0, 1] (METHODS §0).
  double kv_ratio() const;
  /// True if every layer is as in the source model.
  bool is_source() const;

  bool operator==(const Grouping&) const = default;
  auto operator<=>(const Grouping&) const = default;
};

/// Largest Σ (n_K + n_V) whose ratio to `source_kv_heads` does not exceed `ratio`.
int kv_heads_within(double ratio, int source_kv_heads);

}  // namespace regroup::search
