#pragma once

#include <ATen/ATen.h>

#include <vector>

#include "models/pretrained_model.hpp"

namespace regroup::models {

/// The projections of one attention layer, on the CPU. Rows of a head stand together, heads in
/// order. A bias that the model does not have is an undefined tensor.
struct AttentionWeights {
  at::Tensor query;   ///< [H·d, D]
  at::Tensor key;     ///< [H_kv·d, D]
  at::Tensor value;   ///< [H_kv·d, D]
  at::Tensor output;  ///< [D, H·d]
  at::Tensor query_bias;
  at::Tensor key_bias;
  at::Tensor value_bias;
  at::Tensor output_bias;
};

/// A layer whose KV heads are shared: the weights as in AttentionWeights with n_K key and n_V value
/// heads, and which of them serves each query head.
struct MergedAttention {
  AttentionWeights weights;
  std::vector<int> key_of_query;    ///< H entries, 0 … n_K − 1
  std::vector<int> value_of_query;  ///< H entries, 0 … n_V − 1
};

/// The source projections of one layer in the checkpoint's own element type.
AttentionWeights read_attention(const PretrainedModel& model, int layer);

/// The layer as the source has it: r query heads read each KV head.
MergedAttention source_attention(const PretrainedModel& model, int layer);

}  // namespace regroup::models
