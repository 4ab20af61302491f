#pragma once

#include <ATen/ATen.h>

#include <vector>

namespace regroup::models {

/// Some rows of an attention map and the range of keys that they attend to at all.
struct AttendedBlock {
  std::int64_t first_row;
  std::int64_t end_row;
  std::int64_t first_key;
  std::int64_t end_key;

  /// What of [1, H, R, length] lies within the block.
  at::Tensor of_map(const at::Tensor& map) const {
    return of_rows(map).slice(3, first_key, end_key);
  }
  /// What of [1, H, R, …] belongs to the block's rows.
  at::Tensor of_rows(const at::Tensor& rows) const { return rows.slice(2, first_row, end_row); }
  /// What of [1, H, length, …] belongs to its keys.
  at::Tensor of_keys(const at::Tensor& keys) const { return keys.slice(2, first_key, end_key); }
};

/// The map [1, H, R, length] in blocks of up to so many rows: keys that no row of a block attends
/// to, those of the future or beyond a window, are left out of it. O(H · R · length).
std::vector<AttendedBlock> attended_blocks(const at::Tensor& attention, std::int64_t rows);

}  // namespace regroup::models
