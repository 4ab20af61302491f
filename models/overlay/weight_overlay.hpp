#pragma once

#include <ATen/ATen.h>

#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "models/attention/attention_weights.hpp"
#include "models/layers/layer_head_maps.hpp"

namespace regroup::models {

/// An attention layer with other heads than the checkpoint's.
struct OverlaidHeads {
  LayerHeadMaps maps;
  /// Makes the projections, in any element type and place; called whenever they are asked for,
  /// from any thread. Empty: those of the model that the overlay is laid over.
  std::function<MergedAttention()> make;
};

/// What a model has in place of tensors of its checkpoint; what is not named here comes from
/// there. A value; copies share the tensors.
///
/// Names are those of Transformer::parameters: the checkpoint's, and "TENSOR#query" and so on for a
/// projection that is stored transposed or with others. Under a checkpoint's name a tensor has the
/// checkpoint's shape, of projections the one that the layer's heads ask for; under that of a
/// projection [rows, columns]. Its element type is free. The same tensor under two names is shared
/// by them; one that requires gradients is trainable. Example: {"lm_head.weight": w} over a Llama
/// computes with w, and written out it is the checkpoint with w in it.
class WeightOverlay {
 public:
  using Tensors = std::map<std::string, at::Tensor, std::less<>>;

  /// Puts the tensor under the name, before what `set_heads` makes.
  void set(const std::string& name, at::Tensor tensor) { tensors_[name] = std::move(tensor); }
  /// Gives the attention layer these heads.
  void set_heads(int layer, OverlaidHeads heads) { heads_[layer] = std::move(heads); }
  /// The same with the projections at hand.
  void set_heads(int layer, const MergedAttention& attention);

  const Tensors& tensors() const { return tensors_; }
  /// Null: not named here.
  const at::Tensor* find(std::string_view name) const;
  const OverlaidHeads* heads(int layer) const;

 private:
  Tensors tensors_;
  std::map<int, OverlaidHeads> heads_;
};

/// The same overlay with the projections of each tensor that holds several, or holds one
/// transposed, in place of the tensor: gradients go through to it. Throws InputError for a tensor
/// without the checkpoint's shape.
WeightOverlay in_projections(const PretrainedModel& model, const WeightOverlay& overlay);

/// The names that attention projections have in an overlay.
std::set<std::string> projection_names(const PretrainedModel& model);

/// The head maps of a layer under the overlay.
LayerHeadMaps overlaid_maps(const PretrainedModel& model, const WeightOverlay& overlay, int layer);

/// The layer as a checkpoint stores it: projections on the CPU, rounded to the element types of the
/// checkpoint. `overlay` is one of `in_projections`.
MergedAttention overlaid_attention(const PretrainedModel& model, const WeightOverlay& overlay,
                                   int layer);

/// Throws InputError, naming the checkpoint's tensor, unless the other one has its shape.
void require_shape_of(const at::Tensor& tensor, const TensorView& stored);

/// A tensor in the element type of the checkpoint's own of that name, on the CPU, contiguous.
at::Tensor as_stored(const at::Tensor& tensor, const TensorView& stored);

}  // namespace regroup::models
