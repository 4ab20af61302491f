#include "models/attention/attention_weights.hpp"

#include "models/tensors/scratch_tensor.hpp"
#include "models/tensors/tensors.hpp"

namespace regroup::models {
namespace {

StoredProjection place_of_part(const PretrainedModel& model, const LayerPlace& place,
                               const AttentionPart& part) {
  const auto stored = part.kind == PartKind::kBias ? stored_bias : stored_weight;
  return stored(model.spec, model.config, place, part.role);
}

/// The projection's part of the tensor that stores it, [blocks, rows, columns]; shares its memory.
at::Tensor part_of(const at::Tensor& stored, const StoredProjection& place) {
  return at::as_strided(stored, {place.blocks, place.rows, place.columns},
                        {place.block_stride, place.row_stride, place.column_stride}, place.offset);
}

/// Whether the part has a tensor for itself, as it is computed with.
bool is_plain(const PretrainedModel& model, const AttentionPart& part) {
  if (part.kind == PartKind::kNorm) return true;
  if (part.role == AttentionRole::kOutput) return !model.spec.transposed;
  return model.config.storage == ProjectionStorage::kSeparate && !model.spec.transposed;
}

/// Changes the shape of a part's tensor to other numbers of heads.
void set_heads(const PretrainedModel& model, std::vector<std::int64_t>& shape,
               const AttentionPart& part, LayerHeads heads) {
  const bool is_of_values =
      part.role == AttentionRole::kValue || part.role == AttentionRole::kOutput;
  const std::int64_t d = is_of_values ? heads.value_width : heads.key_width;
  const bool is_of_kv_heads =
      part.role == AttentionRole::kKey || part.role == AttentionRole::kValue;
  const bool is_output = part.role == AttentionRole::kOutput;
  if (is_output && part.kind == PartKind::kBias) return;
  const bool is_alone = is_output || part.kind == PartKind::kNorm ||
                        model.config.storage == ProjectionStorage::kSeparate;
  const std::size_t rows = model.spec.transposed && shape.size() > 1 ? shape.size() - 1 : 0;
  const std::size_t at = is_output ? shape.size() - 1 - rows : rows;
  const std::int64_t own = is_of_kv_heads ? heads.kv : heads.query;
  shape[at] = d * (is_alone ? own : heads.query + 2 * heads.kv);
}

std::string norm_name(const PretrainedModel& model, int layer, AttentionRole role) {
  const bool is_query = role == AttentionRole::kQuery;
  return model.place(layer).name(is_query ? &LayerModules::query_norm : &LayerModules::key_norm) +
         ".weight";
}

}  // namespace

bool has_part(const ModelConfig& config, const AttentionPart& part) {
  if (part.kind == PartKind::kNorm) return config.query_key_norm == QueryKeyNorm::kWhole;
  return part.kind == PartKind::kWeight || has_bias(config, part.role);
}

const TensorView& part_tensor(const PretrainedModel& model, int layer, const AttentionPart& part) {
  switch (part.kind) {
    case PartKind::kNorm:
      return model.tensor(norm_name(model, layer, part.role));
    case PartKind::kBias:
      return model.bias_tensor(layer, part.role);
    default:
      return model.weight_tensor(layer, part.role);
  }
}

at::Tensor part_of_tensor(const PretrainedModel& model, int layer, const AttentionPart& part,
                          const at::Tensor& tensor) {
  if (part.kind == PartKind::kNorm) return tensor;
  const StoredProjection place = place_of_part(model, model.place(layer), part);
  const at::Tensor view = part_of(tensor.contiguous(), place).flatten(0, 1);
  return (part.kind == PartKind::kBias ? view.flatten() : view).contiguous();
}

MergedAttention settled(MergedAttention layer, const ComputeOptions& options) {
  for (const AttentionPart& part : kAttentionParts) {
    at::Tensor& tensor = layer.weights.*part.member;
    tensor = settled(tensor, options);
  }
  return layer;
}

AttentionWeights read_attention(const PretrainedModel& model, int layer) {
  AttentionWeights weights;
  for (const AttentionPart& part : kAttentionParts) {
    if (!has_part(model.config, part)) continue;
    weights.*part.member =
        part_of_tensor(model, layer, part, to_tensor(part_tensor(model, layer, part)));
  }
  return weights;
}

MergedAttention source_attention(const PretrainedModel& model, int layer) {
  const LayerHeads heads = model.config.heads(layer);
  const HeadMap map = HeadMap::even(heads.query, heads.kv);
  MergedAttention attention{read_attention(model, layer), map, map};
  if (model.config.key_frequencies.empty()) return attention;
  attention.widths = LayerWidths{heads.key_width, heads.value_width, true};
  attention.key_frequencies = model.config.key_frequencies[static_cast<std::size_t>(layer)];
  return attention;
}

std::map<std::string, std::vector<std::int64_t>> stored_shapes(const PretrainedModel& model,
                                                               int layer, LayerHeads heads) {
  std::map<std::string, std::vector<std::int64_t>> shapes;
  for (const AttentionPart& part : kAttentionParts) {
    if (!has_part(model.config, part)) continue;
    const TensorView& tensor = part_tensor(model, layer, part);
    std::vector<std::int64_t>& shape = shapes[tensor.name];
    shape = tensor.shape;
    set_heads(model, shape, part, heads);
  }
  return shapes;
}

at::Tensor stored_tensor(const PretrainedModel& model, int layer, const std::string& name,
                         const AttentionWeights& weights, LayerHeads heads) {
  LayerPlace place = model.place(layer);
  place.heads = heads;
  at::Tensor stored;
  for (const AttentionPart& part : kAttentionParts) {
    if (!has_part(model.config, part)) continue;
    const TensorView& source = part_tensor(model, layer, part);
    if (source.name != name) continue;
    const at::Tensor& projection = weights.*part.member;
    if (is_plain(model, part)) return projection.contiguous();
    const StoredProjection own = place_of_part(model, place, part);
    if (!stored.defined()) {
      stored = at::empty(stored_shapes(model, layer, heads).at(name), projection.options());
    }
    part_of(stored, own).copy_(projection.view({own.blocks, own.rows, own.columns}));
  }
  return stored;
}

}  // namespace regroup::models
