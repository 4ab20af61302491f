#pragma once

#include <compare>
#include <optional>
#include <string>
#include <vector>

#include "search/groupings/partition.hpp"

namespace regroup::search {

/// How many numbers of each token the groups of one layer store, where that is not one head's
/// (METHODS §7, "wide groups").
struct GroupWidths {
  int head_dim = 0;         ///< of the source
  std::vector<int> keys;    ///< of every key group, in the partition's order
  std::vector<int> values;  ///< of every value group
  /// Whether each rotary frequency of a key has as many pairs of rows as serve it best; else all
  /// have equally many.
  bool free_frequencies = false;

  /// The same, also where a key width is no multiple of head_dim, which leaves no other way.
  bool has_free_frequencies() const;
  /// "64 64 | 32 free": keys, values, and whether frequencies are free.
  std::string to_string() const;
  bool operator==(const GroupWidths&) const = default;
  auto operator<=>(const GroupWidths&) const = default;
};

/// How the KV heads of one attention layer are shared: keys and values each by a partition of the
/// same source KV heads, and which group serves each query head.
struct LayerGrouping {
  Partition keys;
  Partition values;
  /// An allocation (METHODS §4): for each of the H query heads the group that serves it. Keys and
  /// values then share their partition; a group that no query head names is not stored. Empty: each
  /// query head reads the group of its source KV head.
  std::vector<Group> query_to_group = {};
  std::optional<GroupWidths> widths = {};  ///< absent: every group is as wide as a head

  bool shares_partition() const { return keys == values; }
  bool has_allocation() const { return !query_to_group.empty(); }
  /// Groups of the keys that some query head reads, ascending; O(H + H_kv).
  std::vector<Group> stored_keys() const { return stored(keys); }
  std::vector<Group> stored_values() const { return stored(values); }
  /// Key heads plus value heads that the layer stores per token, n_K + n_V.
  int kv_heads() const;
  /// What the layer stores per token, in heads of the source.
  double size() const;
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
  /// Σ over layers of what they store per token, in heads of the source.
  double size() const;
  /// Whether any group is wider or narrower than a head.
  bool has_widths() const;
  /// The same for the source model: 2 · H_kv a layer.
  int source_kv_heads() const;
  /// KV-cache size relative to the source, in (0, 1] (METHODS §0).
  double kv_ratio() const;
  /// True if every layer is as in the source model.
  bool is_source() const;

  bool operator==(const Grouping&) const = default;
  auto operator<=>(const Grouping&) const = default;
};

/// The largest size, in heads of the source, whose ratio to `source_kv_heads` does not exceed
/// `ratio`.
double size_within(double ratio, int source_kv_heads);
/// Largest Σ (n_K + n_V) whose ratio to `source_kv_heads` does not exceed `ratio`.
int kv_heads_within(double ratio, int source_kv_heads);

}  // namespace regroup::search
