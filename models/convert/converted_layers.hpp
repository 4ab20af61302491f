#pragma once

#include <optional>
#include <vector>

#include "models/attention/attention_weights.hpp"
#include "models/layouts/layout.hpp"
#include "models/pretrained/pretrained_model.hpp"
#include "models/refit/merged_layers.hpp"

namespace regroup::models {

/// The attention layers of a converted checkpoint, in a layout: one is in memory at a time, merged
/// when it is asked for.
class ConvertedLayers {
 public:
  /// Throws InputError if the layout cannot hold the grouping.
  ConvertedLayers(const PretrainedModel& model, const MergedLayers& layers, Layout layout);

  const PretrainedModel& model() const { return model_; }
  /// Heads of every layer.
  const std::vector<LayerHeads>& heads() const { return heads_; }
  /// The projections of a layer, in the checkpoint's element types; valid until another is asked
  /// for. Query head q reads KV head ⌊q · n_KV / n_Q⌋.
  const AttentionWeights& layer(int index);

 private:
  const PretrainedModel& model_;
  const MergedLayers& layers_;
  Layout layout_;
  std::vector<LayerHeads> heads_;
  std::optional<int> held_;
  MergedAttention current_;
};

}  // namespace regroup::models
