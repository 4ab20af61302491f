#include "models/attention/attention_weights.hpp"

#include <array>

#include "models/tensors/tensors.hpp"

namespace regroup::models {
namespace {

/// Where AttentionWeights keeps a projection.
struct Member {
  AttentionRole role;
  at::Tensor AttentionWeights::*weight;
  at::Tensor AttentionWeights::*bias;
};

constexpr std::array kMembers = {
    Member{AttentionRole::kQuery, &AttentionWeights::query, &AttentionWeights::query_bias},
    Member{AttentionRole::kKey, &AttentionWeights::key, &AttentionWeights::key_bias},
    Member{AttentionRole::kValue, &AttentionWeights::value, &AttentionWeights::value_bias},
    Member{AttentionRole::kOutput, &AttentionWeights::output, &AttentionWeights::output_bias},
};

/// The projection's part of the tensor that stores it, [blocks, rows, columns]; shares its memory.
at::Tensor part_of(const at::Tensor& stored, const StoredProjection& place) {
  return at::as_strided(stored, {place.blocks, place.rows, place.columns},
                        {place.block_stride, place.row_stride, place.column_stride}, place.offset);
}

at::Tensor read_part(const TensorView& tensor, const StoredProjection& place) {
  return part_of(to_tensor(tensor), place).flatten(0, 1).contiguous();
}

/// Calls visit(name of the tensor, place of the projection in it, member of AttentionWeights, role)
/// for every weight and bias of a layer.
template <class Visit>
void for_each_part(const PretrainedModel& model, int layer, const Visit& visit) {
  const LayerPlace place = model.place(layer);
  for (const Member& member : kMembers) {
    const StoredProjection weight = stored_weight(model.spec, model.config, place, member.role);
    visit(model.stored_name(weight.module + ".weight"), weight, member.weight, member.role);
    if (!has_bias(model.config, member.role)) continue;
    const StoredProjection bias = stored_bias(model.spec, model.config, place, member.role);
    visit(model.stored_name(bias.module + ".bias"), bias, member.bias, member.role);
  }
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

AttentionWeights read_attention(const PretrainedModel& model, int layer) {
  AttentionWeights weights;
  for_each_part(model, layer,
                [&](const std::string& name, const StoredProjection& place,
                    at::Tensor AttentionWeights::*member, AttentionRole) {
                  const at::Tensor part = read_part(model.checkpoint.tensor(name), place);
                  const bool is_bias = place.columns == 1 && name.ends_with(".bias");
                  weights.*member = is_bias ? part.flatten() : part;
                });
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
  const bool is_plain =
      model.spec.storage == ProjectionStorage::kSeparate && !model.spec.transposed;
  for_each_part(model, layer,
                [&](const std::string& name, const StoredProjection&,
                    at::Tensor AttentionWeights::*, AttentionRole role) {
                  std::vector<std::int64_t>& shape = shapes[name];
                  shape = model.checkpoint.tensor(name).shape;
                  if (is_plain) set_heads(shape, role, heads, model.config.head_dim);
                });
  return shapes;
}

at::Tensor stored_tensor(const PretrainedModel& model, int layer, const std::string& name,
                         const AttentionWeights& weights) {
  at::Tensor stored;
  for_each_part(
      model, layer,
      [&](const std::string& part, const StoredProjection& place,
          at::Tensor AttentionWeights::*member, AttentionRole) {
        if (part != name) return;
        const at::Tensor& projection = weights.*member;
        if (model.spec.storage == ProjectionStorage::kSeparate && !model.spec.transposed) {
          stored = projection.contiguous();
          return;
        }
        const TensorView& source = model.checkpoint.tensor(name);
        if (!stored.defined()) stored = at::empty(source.shape, projection.options());
        part_of(stored, place).copy_(projection.view({place.blocks, place.rows, place.columns}));
      });
  return stored;
}

}  // namespace regroup::models
