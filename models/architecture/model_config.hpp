#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "models/elements/dtype.hpp"

namespace regroup::models {

/// What a model reads and what its logits say.
enum class ModelKind {
  kCausal,    ///< token ids; the next token at every position
  kMasked,    ///< token ids; the token itself at every position
  kImage,     ///< an image; its class
  kSequence,  ///< source and target ids; the target's next token, by an encoder and a decoder
};

/// Frequency scaling of Llama 3.1 and later (`rope_type` "llama3").
struct Llama3RotaryScaling {
  double factor = 1;
  double low_frequency_factor = 1;
  double high_frequency_factor = 1;
  double original_context = 0;  ///< tokens
};

/// Which two rows of a head rotary embedding turns together; d_r are the rotary dimensions.
enum class RotaryLayout {
  kHalfSplit,    ///< (c, c + d_r/2)
  kInterleaved,  ///< (2c, 2c + 1)
};

/// Rotary position embedding of the first `dimensions` rows of a head.
struct RotaryConfig {
  int dimensions = 0;  ///< d_r, even; 0: the model has no rotary embedding
  RotaryLayout layout = RotaryLayout::kHalfSplit;
  double theta = 10000;  ///< base of the frequencies theta^(−2c/d_r)
  std::optional<Llama3RotaryScaling> scaling;
};

/// T5's biases of attention logits by the distance of query and key, in buckets.
struct RelativeBiasConfig {
  int buckets = 0;  ///< 0: the model has none
  int max_distance = 0;
};

enum class NormKind {
  kRootMeanSquare,  ///< a weight
  kLayerNorm,       ///< a weight and a bias
};

/// Where the norms of a layer stand, x the residual stream.
enum class ResidualOrder {
  kPreNorm,   ///< x += attention(norm(x)); x += mlp(norm(x))
  kPostNorm,  ///< x = norm(x + attention(x)); x = norm(x + mlp(x))
  kParallel,  ///< x += attention(norm(x)) + mlp(other norm(x))
};

enum class Activation { kSilu, kGelu, kTanhGelu, kRelu };

/// The feed-forward block of every layer that has one.
struct MlpConfig {
  int width = 0;
  bool is_gated = true;  ///< down(act(gate x) ⊙ up x), else down(act(up x))
  Activation activation = Activation::kSilu;
  bool has_bias = false;
};

/// What an image model reads.
struct ImageConfig {
  int size = 0;  ///< height and width, pixels; 0: not an image model
  int patch = 0;
  int channels = 0;
  std::vector<std::string> labels;  ///< names of the classes
};

/// Heads of one attention layer.
struct LayerHeads {
  int query = 0;
  int kv = 0;

  bool operator==(const LayerHeads&) const = default;
};

/// What `config.json` says of a model, checked, in the field's terms; sizes are counts.
struct ModelConfig {
  std::string architecture;  ///< "LlamaForCausalLM"
  ModelKind kind = ModelKind::kCausal;
  /// Attention layers, L: of an encoder-decoder those of the encoder, then for every block of the
  /// decoder self- and cross-attention.
  int layers = 0;
  int encoder_layers = 0;  ///< of an encoder-decoder, else 0
  int width = 0;           ///< D
  int query_heads = 0;     ///< H
  int kv_heads = 0;        ///< H_kv, divides H
  /// Whether the family's config says H_kv, so that a checkpoint may store fewer of them.
  bool names_kv_heads = true;
  int head_dim = 0;  ///< d
  /// By layer, of a checkpoint whose layers have their own numbers of heads; empty: H and H_kv in
  /// all of them.
  std::vector<LayerHeads> heads_by_layer;
  int vocabulary = 0;  ///< 0 of image models
  int context = 0;     ///< longest input, positions
  NormKind norm = NormKind::kRootMeanSquare;
  double norm_epsilon = 0;
  ResidualOrder order = ResidualOrder::kPreNorm;
  MlpConfig mlp;
  RotaryConfig rotary;
  RelativeBiasConfig relative_bias;
  int learned_positions = 0;  ///< rows of the position table; 0: none
  int position_offset = 0;    ///< row of the first position
  int token_types = 0;        ///< of which type 0 is taken; 0: the model knows none
  int embedding_width = 0;    ///< of the token table; other than D: projected to D and back
  bool final_norm = true;
  bool input_bias = false;      ///< of the query, key and value projections
  bool output_bias = false;     ///< of the attention's output projection
  bool query_key_norm = false;  ///< queries and keys of every head are normed before rotation
  double logit_scale = 1;       ///< of the last hidden states before the head
  std::optional<double> attention_scale;  ///< of q·k; absent: 1/√d
  /// By layer, the last tokens that a query sees, itself among them; 0: all. Empty: all everywhere.
  std::vector<int> sliding_windows;
  ImageConfig image;
  bool tied_embeddings = false;
  std::optional<std::int32_t> bos;
  std::optional<std::int32_t> eos;
  std::optional<std::int32_t> decoder_start;  ///< first target id of an encoder-decoder

  int queries_per_kv_head() const { return query_heads / kv_heads; }  ///< r
  /// Heads of one layer.
  LayerHeads heads(int layer) const {
    if (heads_by_layer.empty()) return {query_heads, kv_heads};
    return heads_by_layer[static_cast<std::size_t>(layer)];
  }
  /// Key heads plus value heads of all layers, Σ 2 · n_KV.
  int stored_kv_heads() const {
    int total = 0;
    for (int layer = 0; layer < layers; ++layer) total += 2 * heads(layer).kv;
    return total;
  }
  /// Factor of q·k in the attention's logits.
  double score_scale() const {
    return attention_scale.value_or(1 / std::sqrt(static_cast<double>(head_dim)));
  }
  /// Of one layer: 0 where a query sees all tokens before it.
  int sliding_window(std::size_t layer) const {
    return sliding_windows.empty() ? 0 : sliding_windows[layer];
  }
};

/// Whether the model can write text from nothing: it is causal and has a first token.
inline bool can_write_text(const ModelConfig& config) {
  return config.kind == ModelKind::kCausal && config.bos.has_value();
}

/// Bytes of KV cache per token for `kv_heads` key and value heads in all, METHODS §0.
std::int64_t kv_bytes_per_token(const ModelConfig& config, int kv_heads, DType dtype);

}  // namespace regroup::models
