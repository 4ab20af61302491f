#include "models/attention/attention_weights.hpp"

#include "models/tensors/tensors.hpp"

namespace regroup::models {
namespace {

StoredProjection place_of_part(const PretrainedModel& model, int layer, const AttentionPart& part) {
  const auto stored = part.is_bias ? stored_bias : stored_weight;
  return stored(model.spec, model.config, model.place(layer), part.role);
}

/// The projection's part of the tensor that stores it, [blocks, rows, columns]; shares its memory.
at::Tensor part_of(const at::Tensor& stored, const StoredProjection& place) {
  return at::as_strided(stored, {place.blocks, place.rows, place.columns},
                        {place.block_stride, place.row_stride, place.column_stride}, place.offset);
}

/// Whether each projection has a tensor for itself, as it is computed with.
bool is_plain(const ArchitectureSpec& spec) {
  return spec.storage == ProjectionStorage::kSeparate && !spec.transposed;
}

/// Changes the shape of a tensor that one projection has for itself to other numbers of heads.
void set_heads(std::vector<std::int64_t>& shape, AttentionRole role, LayerHeads heads,
               std::int64_t head_dim) {
  const bool is_of_kv_heads = role == AttentionRole::kKey || role == AttentionRole::kValue;
  const bool is_output = role == AttentionRole::kOutput;
  if (is_output && shape.size() == 1) return;  // its bias
  shape[is_output ? 1 : 0] = head_dim * (is_of_kv_heads ? heads.kv : heads.query);
}

}  // namespace

bool has_part(const ModelConfig& config, const AttentionPart& part) {
  return !part.is_bias || has_bias(config, part.role);
}

const TensorView& part_tensor(const PretrainedModel& model, int layer, const AttentionPart& part) {
  return part.is_bias ? model.bias_tensor(layer, part.role) : model.weight_tensor(layer, part.role);
}

at::Tensor part_of_tensor(const PretrainedModel& model, int layer, const AttentionPart& part,
                          const at::Tensor& tensor) {
  const at::Tensor view =
      part_of(tensor.contiguous(), place_of_part(model, layer, part)).flatten(0, 1);
  return (part.is_bias ? view.flatten() : view).contiguous();
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
  return {read_attention(model, layer), map, map};
}

std::map<std::string, std::vector<std::int64_t>> stored_shapes(const PretrainedModel& model,
                                                               int layer, LayerHeads heads) {
  std::map<std::string, std::vector<std::int64_t>> shapes;
  for (const AttentionPart& part : kAttentionParts) {
    if (!has_part(model.config, part)) continue;
    const TensorView& tensor = part_tensor(model, layer, part);
    std::vector<std::int64_t>& shape = shapes[tensor.name];
    shape = tensor.shape;
    if (is_plain(model.spec)) set_heads(shape, part.role, heads, model.config.head_dim);
  }
  return shapes;
}

at::Tensor stored_tensor(const PretrainedModel& model, int layer, const std::string& name,
                         const AttentionWeights& weights) {
  at::Tensor stored;
  for (const AttentionPart& part : kAttentionParts) {
    if (!has_part(model.config, part)) continue;
    const TensorView& source = part_tensor(model, layer, part);
    if (source.name != name) continue;
    const at::Tensor& projection = weights.*part.member;
    if (is_plain(model.spec)) return projection.contiguous();
    const StoredProjection place = place_of_part(model, layer, part);
    if (!stored.defined()) stored = at::empty(source.shape, projection.options());
    part_of(stored, place).copy_(projection.view({place.blocks, place.rows, place.columns}));
  }
  return stored;
}

}  // namespace regroup::models
