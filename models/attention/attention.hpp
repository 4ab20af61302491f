#pragma once

#include <ATen/ATen.h>

#include <memory>
#include <optional>
#include <vector>

#include "models/attention/attention_weights.hpp"
#include "models/attention/cache_codec.hpp"
#include "models/attention/grouped_decode.hpp"
#include "models/attention/kv_cache.hpp"
#include "models/attention/relative_bias.hpp"
#include "models/attention/rotary.hpp"
#include "models/tensors/linear.hpp"
#include "models/tensors/norm.hpp"

namespace regroup::models {

/// What an attention layer reads, [batch, length, D]: the same twice but in cross-attention.
struct AttentionInput {
  at::Tensor queries;
  at::Tensor keys;  ///< of keys and values
};

/// What happens inside one attention layer, for every query head by itself; [batch, H, …].
struct AttentionTrace {
  at::Tensor plain_queries;  ///< before rotation, [batch, H, length, d]
  at::Tensor queries;        ///< rotated
  at::Tensor keys;           ///< rotated, those that each query head reads
  at::Tensor logits;  ///< scaled q·k with biases, −∞ where a query may not look, [batch, H, length,
                      ///< key length]
  at::Tensor attention;  ///< softmax of the logits
  at::Tensor mixed;      ///< what the output projection receives, [batch, length, H·d]
};

/// What an attention layer computes besides its projections.
struct AttentionSetting {
  std::int64_t head_dim = 0;
  AttentionKind kind = AttentionKind::kCausal;
  std::int64_t sliding_window = 0;  ///< last tokens that a query sees, itself among them; 0: all
  double scale = 1;                 ///< of q·k
  std::optional<Norm> query_norm;   ///< over the rows of a head
  std::optional<Norm> key_norm;
  std::shared_ptr<const Rotary> rotary;
  std::shared_ptr<const RelativeBias> bias;  ///< null: none
  CacheCodec codec = {};                     ///< of the cache, for keys and values
};

/// Attention whose query heads read shared key and value heads. Immutable.
class Attention {
 public:
  Attention(const MergedAttention& layer, AttentionSetting setting, const ComputeOptions& options);

  /// The same attention with other projections.
  Attention with(const MergedAttention& layer, const ComputeOptions& options) const {
    return {layer, setting_, options};
  }
  /// The same attention whose keys and values are read as a cache of that type gives them back.
  Attention with_cache(CacheType type, KeyOrder order) const;

  /// Room for so many positions of a batch of sequences.
  LayerCache make_cache(std::int64_t batch, std::int64_t capacity) const;

  /// At positions offset, offset + 1, … → [batch, length, D]. With a cache the positions before
  /// `offset` are read from it and the new ones added: any number where it is empty, then one at a
  /// time, which does not expand the stored heads (grouped_decode.hpp).
  at::Tensor operator()(const AttentionInput& input, std::int64_t offset, LayerCache* cache) const {
    return project(mix(input, offset, cache));
  }
  at::Tensor operator()(const AttentionInput& input) const { return (*this)(input, 0, nullptr); }
  /// The same before the output projection, [batch, length, H·d].
  at::Tensor mix(const AttentionInput& input, std::int64_t offset, LayerCache* cache) const;
  at::Tensor mix(const AttentionInput& input) const { return mix(input, 0, nullptr); }

  /// The same from position 0, with everything in between. O(H · length²) memory.
  AttentionTrace trace(const AttentionInput& input) const;
  /// The output projection of what `mix` gives.
  at::Tensor project(const at::Tensor& mixed) const { return output_(mixed); }

  /// The same with weights, biases among them, that record gradients of their own; shares the
  /// numbers.
  Attention with_own_weights() const;
  /// Weights and biases of queries, keys, values and output, in this order; those that are there.
  std::vector<at::Tensor> parameters() const;
  const Linear& key() const { return key_; }
  const Linear& value() const { return value_; }
  const Rotary& rotary() const { return *setting_.rotary; }
  AttentionKind kind() const { return setting_.kind; }

  /// The stored heads' keys before rotation, x [batch, length, D] → [batch, n_K, length, d].
  at::Tensor keys(const at::Tensor& x) const;

 private:
  std::int64_t stored_heads(const Linear& linear) const {
    return linear.weight.size(0) / setting_.head_dim;
  }
  at::Tensor split_heads(const at::Tensor& x) const;
  at::Tensor plain_queries(const at::Tensor& x) const;
  /// [batch, H, 1, d] of the newest of all positions, given the cached heads.
  at::Tensor mix_newest(const at::Tensor& queries, const at::Tensor& keys,
                        const at::Tensor& values) const;
  /// Whether queries at the last `length` of `total` positions may look at each position: bool
  /// [length, total].
  at::Tensor visible(std::int64_t length, std::int64_t total, const at::Device& device) const;
  /// What the logits get besides q·k: nothing where they need no more than the causal rule.
  std::optional<at::Tensor> mask(const at::Tensor& queries, const at::Tensor& keys) const;

  AttentionSetting setting_;
  Linear query_;
  Linear key_;
  Linear value_;
  Linear output_;
  at::Device device_;
  // Which stored head each query head reads, [H]; undefined where that is its own number.
  at::Tensor key_of_query_;
  at::Tensor value_of_query_;
  HeadGroups key_groups_;
  HeadGroups value_groups_;
};

}  // namespace regroup::models
