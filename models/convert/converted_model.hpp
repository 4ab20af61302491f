#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "models/layouts/layout.hpp"
#include "models/overlay/weight_overlay.hpp"
#include "models/pretrained/pretrained_model.hpp"

namespace regroup::models {

/// The tensors of a checkpoint under an overlay, its attention layers in a layout, in the
/// checkpoint's element types on the CPU. One attention layer is in memory at a time, made when it
/// is asked for.
class ConvertedModel {
 public:
  /// Refers to the model. Throws InputError if the layout cannot hold the layers' heads, and for a
  /// name or a shape of the overlay that the model does not have.
  ConvertedModel(const PretrainedModel& model, const WeightOverlay& overlay, Layout layout);

  const PretrainedModel& model() const { return model_; }
  /// Heads of every layer.
  const std::vector<LayerHeads>& heads() const { return heads_; }
  Layout layout() const { return layout_; }
  /// Of each layer for each pair of a key's rows the source's frequency, in order where it has no
  /// others; known of those that were asked for.
  const std::vector<std::vector<int>>& frequencies() const { return frequencies_; }
  /// The projections of a layer; valid until another is asked for. Query head q reads KV head
  /// ⌊q · n_KV / n_Q⌋.
  const AttentionWeights& layer(int index);
  /// A tensor beside them; undefined where the overlay leaves it as the checkpoint has it. What the
  /// checkpoint has twice, as a token table that the head shares, changes together.
  at::Tensor changed(const std::string& name) const;

 private:
  void find_copies();

  const PretrainedModel& model_;
  WeightOverlay overlay_;
  Layout layout_;
  std::vector<LayerHeads> heads_;
  std::map<std::string, std::string>
      copies_;  // a tensor that is not read → the one that it repeats
  std::vector<std::vector<int>> frequencies_;
  std::optional<int> held_;
  MergedAttention current_;
};

}  // namespace regroup::models
