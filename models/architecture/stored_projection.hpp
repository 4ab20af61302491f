#pragma once

#include <cstdint>
#include <string>

#include "models/architecture/layer_place.hpp"

namespace regroup::models {

/// The four projections of an attention layer.
enum class AttentionRole { kQuery, kKey, kValue, kOutput };

/// Where a projection stands in the tensor that stores it, perhaps with others: element (block,
/// row, column) at offset + block · block_stride + row · row_stride + column · column_stride,
/// blocks and rows one after another making the projection's rows. A block is a head of keys or
/// values, a head of queries or all that read one stored head; an output projection is one block.
struct StoredProjection {
  std::string module;
  std::int64_t blocks = 0;
  std::int64_t rows = 0;  ///< of a block
  std::int64_t columns = 0;
  std::int64_t offset = 0;
  std::int64_t block_stride = 0;
  std::int64_t row_stride = 0;
  std::int64_t column_stride = 0;
};

/// Where the weight stands.
StoredProjection stored_weight(const ArchitectureSpec& spec, const ModelConfig& config,
                               const LayerPlace& place, AttentionRole role);
/// Where the bias stands: one column.
StoredProjection stored_bias(const ArchitectureSpec& spec, const ModelConfig& config,
                             const LayerPlace& place, AttentionRole role);

/// Whether the projection has a bias.
bool has_bias(const ModelConfig& config, AttentionRole role);

}  // namespace regroup::models
