#include "models/architecture/stored_projection.hpp"

namespace regroup::models {
namespace {

std::string_view LayerModules::*module_of(AttentionRole role) {
  switch (role) {
    case AttentionRole::kQuery:
      return &LayerModules::query;
    case AttentionRole::kKey:
      return &LayerModules::key;
    case AttentionRole::kValue:
      return &LayerModules::value;
    default:
      return &LayerModules::output;
  }
}

/// Rows of all tensors that are stored together count on from the first.
struct RowPlace {
  std::string module;
  std::int64_t first = 0;   ///< row at which the projection begins
  std::int64_t stride = 0;  ///< rows from one head to the next
  std::int64_t total = 0;   ///< rows of the tensor
};

RowPlace rows_of(const ArchitectureSpec& spec, const ModelConfig& config, const LayerPlace& place,
                 AttentionRole role) {
  const std::int64_t d = config.head_dim;
  const std::int64_t heads = role == AttentionRole::kQuery ? place.heads.query : place.heads.kv;
  if (spec.storage == ProjectionStorage::kSeparate) {
    return {place.name(module_of(role)), 0, d, heads * d};
  }
  // As many keys and values as queries.
  const auto number = static_cast<std::int64_t>(role);
  const std::string module = place.name(&LayerModules::query);
  if (spec.storage == ProjectionStorage::kFused) {
    return {module, number * heads * d, d, 3 * heads * d};
  }
  return {module, number * d, 3 * d, 3 * heads * d};
}

}  // namespace

StoredProjection stored_weight(const ArchitectureSpec& spec, const ModelConfig& config,
                               const LayerPlace& place, AttentionRole role) {
  StoredProjection stored;
  std::int64_t total = config.width;  // rows of the tensor, were it not transposed
  if (role == AttentionRole::kOutput) {
    stored = {place.name(&LayerModules::output), 1, config.width,
              std::int64_t{place.heads.query} * config.head_dim};
  } else {
    const RowPlace rows = rows_of(spec, config, place, role);
    stored = {rows.module, role == AttentionRole::kQuery ? place.heads.query : place.heads.kv,
              config.head_dim, config.width};
    stored.offset = rows.first;
    stored.block_stride = rows.stride;
    total = rows.total;
  }
  stored.row_stride = spec.transposed ? 1 : stored.columns;
  stored.column_stride = spec.transposed ? total : 1;
  stored.offset *= stored.row_stride;
  stored.block_stride *= stored.row_stride;
  return stored;
}

StoredProjection stored_bias(const ArchitectureSpec& spec, const ModelConfig& config,
                             const LayerPlace& place, AttentionRole role) {
  StoredProjection stored = stored_weight(spec, config, place, role);
  stored.offset /= stored.row_stride;
  stored.block_stride /= stored.row_stride;
  stored.row_stride = 1;
  stored.columns = 1;
  stored.column_stride = 1;
  return stored;
}

bool has_bias(const ModelConfig& config, AttentionRole role) {
  return role == AttentionRole::kOutput ? config.output_bias : config.input_bias;
}

}  // namespace regroup::models
