#pragma once

#include <ATen/ATen.h>

#include <array>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "models/layers/layer_head_maps.hpp"
#include "models/pretrained/pretrained_model.hpp"
#include "models/tensors/compute.hpp"

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
  // Weights of norms that run over all heads at once; of other norms they are no heads' own.
  at::Tensor query_norm;  ///< [H·d]
  at::Tensor key_norm;    ///< [H_kv·d]
};

enum class PartKind { kWeight, kBias, kNorm };

/// A tensor of AttentionWeights by its name in an attention layer.
struct AttentionPart {
  std::string_view name;
  at::Tensor AttentionWeights::*member;
  AttentionRole role;
  PartKind kind = PartKind::kWeight;
};
inline constexpr std::array kAttentionParts = {
    AttentionPart{"query.weight", &AttentionWeights::query, AttentionRole::kQuery},
    AttentionPart{"query.bias", &AttentionWeights::query_bias, AttentionRole::kQuery,
                  PartKind::kBias},
    AttentionPart{"key.weight", &AttentionWeights::key, AttentionRole::kKey},
    AttentionPart{"key.bias", &AttentionWeights::key_bias, AttentionRole::kKey, PartKind::kBias},
    AttentionPart{"value.weight", &AttentionWeights::value, AttentionRole::kValue},
    AttentionPart{"value.bias", &AttentionWeights::value_bias, AttentionRole::kValue,
                  PartKind::kBias},
    AttentionPart{"output.weight", &AttentionWeights::output, AttentionRole::kOutput},
    AttentionPart{"output.bias", &AttentionWeights::output_bias, AttentionRole::kOutput,
                  PartKind::kBias},
    AttentionPart{"query_norm.weight", &AttentionWeights::query_norm, AttentionRole::kQuery,
                  PartKind::kNorm},
    AttentionPart{"key_norm.weight", &AttentionWeights::key_norm, AttentionRole::kKey,
                  PartKind::kNorm},
};
/// Whether layers of the model have it: all weights, and some biases.
bool has_part(const ModelConfig& config, const AttentionPart& part);
/// The checkpoint's tensor that holds it, perhaps with others.
const TensorView& part_tensor(const PretrainedModel& model, int layer, const AttentionPart& part);

/// A layer whose KV heads are shared: the weights as in AttentionWeights with n_K key and n_V value
/// heads, and which of them serves each query head. Keys and values may be wider or narrower than
/// d: of a key it is the width of a query head too, of a value that of a head's part of the output
/// projection's columns.
struct MergedAttention {
  AttentionWeights weights;
  HeadMap key_map;
  HeadMap value_map;
  /// Absent: as wide as the source's heads. Scores of others are scaled by 1/√ of the key's width,
  /// where those of the source are by 1/√d.
  std::optional<LayerWidths> widths = {};
  /// Of each rotated pair of rows of a key the frequency of the source that turns it; without
  /// `widths` not stated: each once.
  std::vector<int> key_frequencies = {};

  LayerHeadMaps maps() const { return {key_map, value_map, widths}; }
};

/// The layer where a computation keeps what lives long (scratch_tensor.hpp).
MergedAttention settled(MergedAttention layer, const ComputeOptions& options);

/// The part of a layer in a tensor of the shape of `part_tensor`: [rows, columns], of a bias
/// [rows]. Gradients pass.
at::Tensor part_of_tensor(const PretrainedModel& model, int layer, const AttentionPart& part,
                          const at::Tensor& tensor);

/// The source projections of one layer in the checkpoint's own element type.
AttentionWeights read_attention(const PretrainedModel& model, int layer);

/// The layer as the source has it: r query heads read each KV head.
MergedAttention source_attention(const PretrainedModel& model, int layer);

/// The shapes of the tensors that store a layer with these numbers of heads, by their names in the
/// checkpoint. Projections that are stored head by head or transposed need as many heads as the
/// source has.
std::map<std::string, std::vector<std::int64_t>> stored_shapes(const PretrainedModel& model,
                                                               int layer, LayerHeads heads);

/// One of these tensors, made of the projections of a layer with these heads.
at::Tensor stored_tensor(const PretrainedModel& model, int layer, const std::string& name,
                         const AttentionWeights& weights, LayerHeads heads);

}  // namespace regroup::models
