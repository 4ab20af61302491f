#pragma once

#include <ATen/ATen.h>

#include <functional>
#include <memory>
#include <vector>

#include "models/merge/merge_operator.hpp"
#include "models/transformer/blocks.hpp"

namespace regroup::models {

/// Key/value caches of all layers for one batch of sequences.
struct KvCache {
  std::vector<LayerCache> layers;
  std::int64_t length = 0;  ///< positions seen
};

/// Sees the normalised input [batch, length, D] of a layer's attention as it is computed.
using AttentionInputObserver = std::function<void(std::size_t layer, const at::Tensor& input)>;

/// A pre-norm causal decoder on LibTorch. Immutable; copies share their tensors; concurrent forward
/// passes are safe.
class Decoder {
 public:
  /// Copies the weights of `model`, checked to be finite, to the device. Throws InputError for NaN
  /// or Inf in any of them.
  Decoder(const PretrainedModel& model, const ComputeOptions& options);

  /// The same model with the KV heads of every layer merged; shares all other weights.
  Decoder grouped(const PretrainedModel& model, const search::Grouping& grouping,
                  const MergeOperator& merge) const;

  const ComputeOptions& options() const { return options_; }
  std::int64_t vocabulary() const { return head_.size(0); }
  /// ids [batch, length] (int64, on the device) → last hidden states [batch, length, D]. With a
  /// cache, ids continue what it holds: a first call with any length, then one id a call.
  at::Tensor hidden_states(const at::Tensor& ids, KvCache* cache = nullptr,
                           const AttentionInputObserver& observe = {}) const;
  /// Keys of a layer before rotation, from what an AttentionInputObserver saw: [batch, length, D] →
  /// [batch, n_K, length, d].
  at::Tensor keys(std::size_t layer, const at::Tensor& input) const {
    return layers_[layer].attention->keys(input);
  }
  /// Hidden states [..., D] → logits [..., vocabulary], float32.
  at::Tensor logits(const at::Tensor& hidden) const;

 private:
  struct Layer {
    RmsNorm attention_norm;
    std::shared_ptr<const Attention> attention;
    RmsNorm mlp_norm;
    GatedMlp mlp;
  };

  ComputeOptions options_;
  at::Tensor embedding_;
  std::vector<Layer> layers_;
  RmsNorm final_norm_;
  at::Tensor head_;  // [vocabulary, D]
  std::shared_ptr<const Rotary> rotary_;
};

}  // namespace regroup::models
