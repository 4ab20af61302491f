#pragma once

#include <compare>
#include <vector>

#include "search/partition.hpp"

namespace regroup::search {

/// How the KV heads of one attention layer are shared: keys and values each by a partition of the
/// same source KV heads.
struct LayerGrouping {
  Partition keys;
  Partition values;

  bool shares_partition() const { return keys == values; }
  /// Key heads plus value heads that the layer stores per token, n_K + n_V.
  int kv_heads() const { return keys.groups() + values.groups(); }
  bool operator==(const LayerGrouping&) const = default;
  auto operator<=>(const LayerGrouping&) const = default;
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
  bool is_source() const { return kv_heads() == source_kv_heads(); }

  bool operator==(const Grouping&) const = default;
  auto operator<=>(const Grouping&) const = default;
};

/// Largest Σ (n_K + n_V) whose ratio to `source_kv_heads` does not exceed `ratio`.
int kv_heads_within(double ratio, int source_kv_heads);

}  // namespace regroup::search
