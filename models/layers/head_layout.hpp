#pragma once

#include <Eigen/Core>
#include <utility>
#include <vector>

#include "models/architecture/model_config.hpp"

namespace regroup::models {

/// How the d rows of one head are laid out for merging: pairs of rows that rotary embedding turns
/// together as one complex row, then a block of rows that it leaves alone (METHODS §7). Values, and
/// keys without rotary embedding, are one block.
struct HeadLayout {
  int head_dim = 0;
  std::vector<std::pair<int, int>> planes;  ///< rows of the real and of the imaginary part
  int block_begin = 0;                      ///< rows block_begin … head_dim − 1 are the block

  int block_rows() const { return head_dim - block_begin; }

  /// A head of `width` rows that begins with so many rotated pairs.
  static HeadLayout of_pairs(int width, int pairs, RotaryLayout order);
  static HeadLayout of_keys(const ModelConfig& config);
  static HeadLayout of_values(const ModelConfig& config);
};

}  // namespace regroup::models
