#pragma once

#include <optional>
#include <vector>

#include "models/architecture/model_config.hpp"
#include "models/layers/head_layout.hpp"
#include "search/groupings/grouping.hpp"

namespace regroup::models {

/// How many rows a shared head stores of each part of its members' rows (METHODS §7, "wide
/// groups"): pairs of each rotary frequency, and rows of the block that rotary embedding leaves
/// alone. A value.
struct SharedRows {
  std::vector<int> planes;  ///< n_c of each frequency of the source
  int block = 0;

  /// As many as `heads` heads have.
  static SharedRows of_heads(const HeadLayout& head, int heads = 1);

  /// Numbers of a stored head, 2 Σ n_c + block.
  int width() const;
  /// For each stored pair the source's frequency that it turns with, [Σ n_c]: those of frequency 0,
  /// of frequency 1, …
  std::vector<int> frequencies() const;
  /// Where the rows of such a head stand: its pairs first, in that order.
  HeadLayout layout(RotaryLayout pairs) const;

  bool operator==(const SharedRows&) const = default;
};

/// Numbers that the stored heads of a layer have room for: of its widest key and value group.
struct LayerWidths {
  int key = 0;
  int value = 0;
  bool free_frequencies = false;  ///< of keys, as in search::GroupWidths

  bool operator==(const LayerWidths&) const = default;
};
LayerWidths layer_widths(const search::GroupWidths& groups);

}  // namespace regroup::models
