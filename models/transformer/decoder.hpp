#pragma once

#include <ATen/ATen.h>

#include <functional>
#include <memory>
#include <vector>

#include "models/pretrained_model.hpp"
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

  /// The same model with another attention in one layer; shares all other weights.
  void replace_attention(std::size_t layer, const MergedAttention& attention,
                         const ModelConfig& config);

  const ComputeOptions& options() const { return options_; }
  std::int64_t vocabulary() const { return head_.size(0); }
  std::int64_t width() const { return embedding_.size(1); }
  /// ids [batch, length] (int64, on the device) → last hidden states [batch, length, D]. With a
  /// cache, ids continue what it holds: a first call with any length, then one id a call.
  at::Tensor hidden_states(const at::Tensor& ids, KvCache* cache = nullptr,
                           const AttentionInputObserver& observe = {}) const;
  /// One layer after another, without a cache: what enters the first one, …
  at::Tensor embed(const at::Tensor& ids) const { return at::embedding(embedding_, ids); }
  /// … what a layer's attention sees of the hidden states [batch, length, D], …
  at::Tensor attention_input(std::size_t layer, const at::Tensor& states) const {
    return layers_[layer].attention_norm(states);
  }
  /// … the states after the layer, given the attention's output, …
  at::Tensor after_attention(std::size_t layer, const at::Tensor& states,
                             const at::Tensor& output) const;
  /// … or all of that at once, …
  at::Tensor advance(std::size_t layer, const at::Tensor& states) const {
    const at::Tensor input = attention_input(layer, states);
    return after_attention(layer, states, attention(layer)(input, *rotary_, 0, nullptr));
  }
  /// … and the last hidden states, those that `logits` takes.
  at::Tensor finish(const at::Tensor& states) const { return final_norm_(states); }
  std::size_t layers() const { return layers_.size(); }
  const Attention& attention(std::size_t layer) const { return *layers_[layer].attention; }
  const Rotary& rotary() const { return *rotary_; }

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
