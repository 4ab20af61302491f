#pragma once

#include <ATen/ATen.h>

#include "models/merge/attention_weights.hpp"
#include "models/transformer/rotary.hpp"

namespace regroup::models {

/// A linear map x → x Wᵀ + b; `bias` may be undefined.
struct Linear {
  at::Tensor weight;  ///< [out, in]
  at::Tensor bias;    ///< [out]

  at::Tensor operator()(const at::Tensor& x) const;
};

/// Root-mean-square normalisation over the last dimension, in float32 whatever the input's type.
struct RmsNorm {
  at::Tensor weight;
  double epsilon = 0;

  at::Tensor operator()(const at::Tensor& x) const;
};

/// down(silu(gate x) ⊙ up x).
struct GatedMlp {
  Linear gate;
  Linear up;
  Linear down;

  at::Tensor operator()(const at::Tensor& x) const;
};

/// Rotated keys and values of one layer, as many heads as it stores, for positions seen so far.
struct LayerCache {
  at::Tensor keys;    ///< [batch, n_K, length, d]
  at::Tensor values;  ///< [batch, n_V, length, d]
};

/// What happens inside one attention layer, for every query head by itself; [batch, H, …].
struct AttentionTrace {
  at::Tensor plain_queries;  ///< before rotation, [batch, H, length, d]
  at::Tensor queries;        ///< rotated
  at::Tensor keys;           ///< rotated, those that each query head reads
  at::Tensor logits;  ///< q·k/√d, −∞ where a query may not look, [batch, H, length, length]
  at::Tensor attention;  ///< softmax of the logits
  at::Tensor mixed;      ///< what the output projection receives, [batch, length, H·d]
};

/// Causal self-attention whose query heads read shared key and value heads.
class Attention {
 public:
  /// `sliding_window`: the last tokens that a query sees, itself among them; 0: all.
  Attention(const MergedAttention& layer, const ModelConfig& config, int sliding_window,
            const ComputeOptions& options);

  /// x [batch, length, D] at positions offset, offset + 1, … → [batch, length, D]. With a cache
  /// the positions before `offset` are read from it and the new ones added.
  at::Tensor operator()(const at::Tensor& x, const Rotary& rotary, std::int64_t offset,
                        LayerCache* cache) const {
    return project(mix(x, rotary, offset, cache));
  }
  /// The same before the output projection, [batch, length, H·d].
  at::Tensor mix(const at::Tensor& x, const Rotary& rotary, std::int64_t offset,
                 LayerCache* cache) const;

  /// The same from position 0, with everything in between. O(H · length²) memory.
  AttentionTrace trace(const at::Tensor& x, const Rotary& rotary) const;
  /// The output projection of what `mix` gives.
  at::Tensor project(const at::Tensor& mixed) const { return output_(mixed); }

  /// The same with key and value weights, biases among them, that record gradients of their own;
  /// shares the numbers.
  Attention with_own_kv_weights() const;
  const Linear& key() const { return key_; }
  const Linear& value() const { return value_; }

  /// The stored heads' keys before rotation, x [batch, length, D] → [batch, n_K, length, d].
  at::Tensor keys(const at::Tensor& x) const { return split_heads(key_(x)); }

 private:
  at::Tensor split_heads(const at::Tensor& x) const;
  /// Whether queries at the last `length` of `total` positions may look at each position: bool
  /// [length, total].
  at::Tensor visible(std::int64_t length, std::int64_t total, const at::Device& device) const;

  Linear query_;
  Linear key_;
  Linear value_;
  Linear output_;
  std::int64_t head_dim_;
  std::int64_t sliding_window_;
  // Which stored head each query head reads, [H]; undefined where that is its own number.
  at::Tensor key_of_query_;
  at::Tensor value_of_query_;
};

}  // namespace regroup::models
