#include "models/overlay/weight_overlay.hpp"

#include <utility>

#include "models/pretrained/attention_names.hpp"
#include "models/tensors/tensors.hpp"
#include "search/base/error.hpp"

namespace regroup::models {

void WeightOverlay::set_heads(int layer, const MergedAttention& attention) {
  set_heads(layer, {attention.maps(), [attention] { return attention; }});
}

const at::Tensor* WeightOverlay::find(std::string_view name) const {
  const auto found = tensors_.find(name);
  return found == tensors_.end() ? nullptr : &found->second;
}

const OverlaidHeads* WeightOverlay::heads(int layer) const {
  const auto found = heads_.find(layer);
  return found == heads_.end() ? nullptr : &found->second;
}

WeightOverlay in_projections(const PretrainedModel& model, const WeightOverlay& overlay) {
  WeightOverlay result;
  WeightOverlay::Tensors left = overlay.tensors();
  for (int layer = 0; layer < model.config.layers; ++layer) {
    if (const OverlaidHeads* heads = overlay.heads(layer)) result.set_heads(layer, *heads);
    const AttentionNames names(model, layer);
    for (const AttentionPart& part : kAttentionParts) {
      if (!has_part(model.config, part)) continue;
      const std::string name = names(part.name);
      const TensorView& stored = part_tensor(model, layer, part);
      const at::Tensor* whole = overlay.find(stored.name);
      if (name == stored.name || whole == nullptr) continue;
      require_shape_of(*whole, stored);
      result.set(name, part_of_tensor(model, layer, part, *whole));
      left.erase(stored.name);
    }
  }
  for (auto& [name, tensor] : left) result.set(name, std::move(tensor));
  return result;
}

std::set<std::string> projection_names(const PretrainedModel& model) {
  std::set<std::string> result;
  for (int layer = 0; layer < model.config.layers; ++layer) {
    const AttentionNames names(model, layer);
    for (const AttentionPart& part : kAttentionParts) {
      if (has_part(model.config, part)) result.insert(names(part.name));
    }
  }
  return result;
}

LayerHeadMaps overlaid_maps(const PretrainedModel& model, const WeightOverlay& overlay, int layer) {
  const OverlaidHeads* heads = overlay.heads(layer);
  return heads != nullptr ? heads->maps : source_head_maps(model.config, layer);
}

MergedAttention overlaid_attention(const PretrainedModel& model, const WeightOverlay& overlay,
                                   int layer) {
  const OverlaidHeads* heads = overlay.heads(layer);
  MergedAttention result =
      heads != nullptr && heads->make ? heads->make() : source_attention(model, layer);
  const LayerHeadMaps maps = overlaid_maps(model, overlay, layer);
  result.key_map = maps.keys;
  result.value_map = maps.values;
  result.widths = maps.widths;
  const AttentionNames names(model, layer);
  for (const AttentionPart& part : kAttentionParts) {
    if (!has_part(model.config, part)) continue;
    at::Tensor& tensor = result.weights.*part.member;
    if (const at::Tensor* own = overlay.find(names(part.name))) tensor = *own;
    tensor = as_stored(tensor, part_tensor(model, layer, part));
  }
  return result;
}

void require_shape_of(const at::Tensor& tensor, const TensorView& stored) {
  if (tensor.sizes().vec() == stored.shape) return;
  throw InputError({.what = "tensor in place of a checkpoint's has another shape",
                    .where = tensor_label(stored.name),
                    .expected = shape_text(stored.shape),
                    .found = shape_text(tensor.sizes().vec())});
}

at::Tensor as_stored(const at::Tensor& tensor, const TensorView& stored) {
  return tensor.detach().to(at::kCPU, scalar_type(stored.dtype)).contiguous();
}

}  // namespace regroup::models
