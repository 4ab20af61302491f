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
  std::int64_t blocks = 0;  ///< runs of neighbouring rows …
  std::int64_t rows = 0;    ///< … of so many each
  std::int64_t stride = 0;  ///< rows from one run to the next
  std::int64_t total = 0;   ///< rows of the tensor
};

RowPlace rows_of(const ModelConfig& config, const LayerPlace& place, AttentionRole role) {
  // Only projections of their own have values of another width than keys.
  const std::int64_t d =
      role == AttentionRole::kValue ? place.heads.value_width : place.heads.key_width;
  const std::int64_t queries = place.heads.query;
  const std::int64_t kv = place.heads.kv;
  const std::int64_t heads = role == AttentionRole::kQuery ? queries : kv;
  const std::int64_t total = (queries + 2 * kv) * d;
  const auto number = static_cast<std::int64_t>(role);
  const std::string module = place.name(&LayerModules::query);
  switch (config.storage) {
    case ProjectionStorage::kFused:
      return {module, number == 0 ? 0 : (queries + (number - 1) * kv) * d, heads, d, d, total};
    case ProjectionStorage::kByHead:  // as many keys and values as queries
      return {module, number * d, heads, d, 3 * d, total};
    case ProjectionStorage::kByGroup: {
      const std::int64_t of_group = queries / kv * d;
      const std::int64_t first = number == 0 ? 0 : of_group + (number - 1) * d;
      return {module, first, kv, number == 0 ? of_group : d, of_group + 2 * d, total};
    }
    default:
      return {place.name(module_of(role)), 0, heads, d, d, heads * d};
  }
}

}  // namespace

StoredProjection stored_weight(const ArchitectureSpec& spec, const ModelConfig& config,
                               const LayerPlace& place, AttentionRole role) {
  StoredProjection stored;
  std::int64_t total = config.width;  // rows of the tensor, were it not transposed
  if (role == AttentionRole::kOutput) {
    stored = {place.name(&LayerModules::output), 1, config.width,
              std::int64_t{place.heads.query} * place.heads.value_width};
  } else {
    const RowPlace rows = rows_of(config, place, role);
    stored = {rows.module, rows.blocks, rows.rows, config.width};
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
  if (role == AttentionRole::kOutput) return config.output_bias;
  return config.input_bias && (role != AttentionRole::kKey || config.key_bias);
}

}  // namespace regroup::models
