#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "models/architecture/mixture_config.hpp"
#include "models/elements/dtype.hpp"

namespace regroup::models {

/// What a model reads and what its logits say.
enum class ModelKind {
  kCausal,    ///< token ids; the next token at every position
  kMasked,    ///< token ids; the token itself at every position
  kImage,     ///< an image; its class
  kSequence,  ///< source and target ids; the target's next token, by an encoder and a decoder
  kSpeech,    ///< the same, the source being the features of a sound
  kText,      ///< the token ids of a text; its class
};
/// Whether an encoder reads a source and a decoder its target.
constexpr bool has_decoder(ModelKind kind) {
  return kind == ModelKind::kSequence || kind == ModelKind::kSpeech;
}

/// Whether the outputs are classes, one of which is right.
constexpr bool has_classes(ModelKind kind) {
  return kind == ModelKind::kImage || kind == ModelKind::kText;
}

/// Frequencies divided by one factor (`rope_type` "linear").
struct LinearRotaryScaling {
  double factor = 1;
};

/// A base that grows with a window longer than the model's own (`rope_type` "dynamic").
struct DynamicRotaryScaling {
  double factor = 1;
  double original_context = 0;  ///< tokens
};

/// YaRN (arXiv 2309.00071): fast frequencies stay, slow ones are divided, those between blended.
struct YarnRotaryScaling {
  double factor = 1;
  double fast_turns = 32;       ///< in the original context: "beta_fast"
  double slow_turns = 1;        ///< "beta_slow"
  double original_context = 0;  ///< tokens
  double attention_factor = 1;  ///< of cosines and sines
  bool rounds_bounds = true;    ///< the blend begins and ends at whole dimensions: "truncate"
};

/// Frequency scaling of Llama 3.1 and later (`rope_type` "llama3").
struct Llama3RotaryScaling {
  double factor = 1;
  double low_frequency_factor = 1;
  double high_frequency_factor = 1;
  double original_context = 0;  ///< tokens
};

/// LongRoPE (arXiv 2402.13753): a divisor for each frequency, others for windows longer than the
/// original context.
struct LongRotaryScaling {
  std::vector<double> short_factors;  ///< d_r / 2
  std::vector<double> long_factors;
  double original_context = 0;  ///< tokens
  double attention_factor = 1;  ///< of cosines and sines
};

using RotaryScaling = std::variant<std::monostate, LinearRotaryScaling, DynamicRotaryScaling,
                                   YarnRotaryScaling, Llama3RotaryScaling, LongRotaryScaling>;

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
  RotaryScaling scaling;

  bool is_scaled() const { return !std::holds_alternative<std::monostate>(scaling); }
};

/// T5's biases of attention logits by the distance of query and key, in buckets.
struct RelativeBiasConfig {
  int buckets = 0;  ///< 0: the model has none
  int max_distance = 0;
};

/// ALiBi (arXiv 2108.12409): biases of attention logits that fall with the distance of the key, by
/// query head.
struct AlibiConfig {
  std::vector<double> slopes;  ///< [H], of a position, as the logits get them; empty: none
  bool in_bfloat16 = false;    ///< slopes and their products are rounded so before `scale`
  double scale = 1;            ///< of the products
};

enum class NormKind {
  kRootMeanSquare,        ///< a weight
  kOffsetRootMeanSquare,  ///< a weight, to which 1 is added
  kLayerNorm,             ///< a weight and a bias
  kUnbiasedLayerNorm,     ///< a weight
  kBareLayerNorm,         ///< nothing
};
constexpr bool has_weight(NormKind kind) {
  return kind != NormKind::kBareLayerNorm;
}
constexpr bool has_bias(NormKind kind) {
  return kind == NormKind::kLayerNorm;
}

/// Norms of queries and keys before rotation.
enum class QueryKeyNorm {
  kNone,
  kByHead,  ///< over the rows of a head; its weights serve all heads
  kWhole,   ///< over the rows of all heads, each with a weight of its own
};

/// Where the positions of tokens come from, but for those within attention.
enum class PositionKind {
  kNone,
  kLearned,              ///< a table in the checkpoint
  kSinusoid,             ///< sines, then cosines, of frequencies 10000^(−c / (D/2 − 1))
  kTransformerSinusoid,  ///< the same with frequencies 10000^(−2c / D), as first published
};

/// Where the norms of a layer stand, x the residual stream.
enum class ResidualOrder {
  kPreNorm,   ///< x += attention(norm(x)); x += mlp(norm(x))
  kPostNorm,  ///< x = norm(x + attention(x)); x = norm(x + mlp(x))
  kParallel,  ///< x += attention(norm(x)) + mlp(other norm(x))
};

enum class Activation { kSilu, kGelu, kTanhGelu, kRelu, kTanh };

/// The feed-forward block of every layer that has one.
struct MlpConfig {
  int width = 0;
  bool is_gated = true;   ///< down(act(gate x) ⊙ up x), else down(act(up x))
  bool is_fused = false;  ///< gate and up are stored as one, in this order
  Activation activation = Activation::kSilu;
  bool has_bias = false;
};

/// Sparse experts in place of the feed-forward block (arXiv 1701.06538): of each token the
/// `per_token` experts to which the router gives most, their outputs weighted by its softmax.
struct ExpertsConfig {
  int count = 0;  ///< 0: there are none
  int per_token = 0;
  int width = 0;
  bool normalises = false;         ///< the chosen experts' weights add up to 1
  std::vector<bool> dense_layers;  ///< by layer, which have a feed-forward block; empty: none
};

/// How the query, key and value projections are stored.
enum class ProjectionStorage {
  kSeparate,  ///< a tensor each
  kFused,     ///< one tensor: all queries, all keys, all values; `LayerModules::query` names it
  kByHead,    ///< one tensor: queries, keys and values of the first head, of the second, …
  kByGroup,   ///< one tensor: of the first KV head its queries, its key and its value, …
};

/// What an image model reads.
struct ImageConfig {
  int size = 0;  ///< height and width, pixels; 0: not an image model
  int patch = 0;
  int channels = 0;
  /// The head reads the class token and the mean of all others; else the class token alone.
  bool reads_patches = false;
};

/// What a speech model reads.
struct SpeechConfig {
  int bands = 0;   ///< of the spectrum
  int frames = 0;  ///< two of them make a position of the encoder

  int positions() const { return frames / 2; }
};

/// Heads of one attention layer, and numbers of each.
struct LayerHeads {
  int query = 0;
  int kv = 0;
  int key_width = 0;  ///< of query heads too
  int value_width = 0;

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
  /// Whether the family's code in transformers runs heads of any width, with rotary frequencies
  /// that its config states one by one (`rope_type` "longrope").
  bool takes_wide_heads = false;
  int head_dim = 0;  ///< d
  /// By layer, of a checkpoint whose layers have their own numbers of heads; empty: H and H_kv in
  /// all of them.
  std::vector<LayerHeads> heads_by_layer;
  /// Likewise for each rotated pair of a key's rows the frequency, of those of a head of d numbers,
  /// that it turns with; empty: each once.
  std::vector<std::vector<int>> key_frequencies;
  int vocabulary = 0;  ///< 0 of image models
  int context = 0;     ///< longest input, positions
  NormKind norm = NormKind::kRootMeanSquare;
  double norm_epsilon = 0;
  ResidualOrder order = ResidualOrder::kPreNorm;
  bool shares_norm = false;      ///< of a parallel block: the attention's norm is the other one too
  bool scales_branches = false;  ///< what a block adds is scaled channel by channel
  double residual_scale = 1;     ///< of what a block adds
  MlpConfig mlp;
  ExpertsConfig experts;
  ProjectionStorage storage = ProjectionStorage::kSeparate;
  RotaryConfig rotary;
  std::vector<RotaryConfig> rotary_by_layer;  ///< where layers differ; empty: `rotary` everywhere
  AlibiConfig alibi;
  RelativeBiasConfig relative_bias;
  PositionKind positions = PositionKind::kNone;
  int learned_positions = 0;  ///< rows of the position table; 0: none
  int position_offset = 0;    ///< row of the first position
  /// Id of tokens that take no position of their own: theirs is the row before the first one.
  std::optional<std::int32_t> padding;
  int token_types = 0;         ///< of which type 0 is taken; 0: the model knows none
  int embedding_width = 0;     ///< of the token table; other than D: projected to D and back
  double embedding_scale = 1;  ///< of the token table
  bool final_norm = true;
  bool input_bias = false;   ///< of the query, key and value projections …
  bool key_bias = true;      ///< … but not of the keys where this is false
  bool output_bias = false;  ///< of the attention's output projection
  QueryKeyNorm query_key_norm = QueryKeyNorm::kNone;
  std::optional<double> projection_clip;  ///< queries, keys and values are kept within ± it
  bool has_head = true;                   ///< else the last hidden states are what the model says
  bool head_bias = false;
  Activation head_activation =
      Activation::kGelu;                  ///< of the head's dense layer, where there is one
  std::vector<std::string> labels;        ///< names of the classes; empty: it knows none
  double logit_scale = 1;                 ///< of the last hidden states before the head
  std::optional<double> logit_cap;        ///< c: logits become c tanh(logits / c)
  std::optional<double> attention_cap;    ///< the same of attention logits
  std::optional<double> attention_scale;  ///< of q·k; absent: 1/√d
  /// By layer, the last tokens that a query sees, itself among them; 0: all. Empty: all everywhere.
  std::vector<int> sliding_windows;
  ImageConfig image;
  SpeechConfig speech;
  std::optional<MixtureConfig> mixture;  ///< in place of dot products
  bool tied_embeddings = false;
  std::optional<std::int32_t> bos;
  std::optional<std::int32_t> eos;
  std::optional<std::int32_t> decoder_start;  ///< first target id of an encoder-decoder

  int queries_per_kv_head() const { return query_heads / kv_heads; }  ///< r
  /// Heads of one layer.
  LayerHeads heads(int layer) const {
    if (heads_by_layer.empty()) return {query_heads, kv_heads, head_dim, head_dim};
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
  const RotaryConfig& rotary_of(int layer) const {
    return rotary_by_layer.empty() ? rotary : rotary_by_layer[static_cast<std::size_t>(layer)];
  }
  /// The same with this layer's rotary embedding for all.
  ModelConfig of_layer(int layer) const {
    ModelConfig own = *this;
    own.rotary = rotary_of(layer);
    own.rotary_by_layer.clear();
    return own;
  }
  /// Whether a layer has experts in place of a feed-forward block.
  bool has_experts(int layer) const {
    return experts.count > 0 &&
           (experts.dense_layers.empty() || !experts.dense_layers[static_cast<std::size_t>(layer)]);
  }
  /// Of one layer: 0 where a query sees all tokens before it.
  int sliding_window(std::size_t layer) const {
    return sliding_windows.empty() ? 0 : sliding_windows[layer];
  }
};

/// Whether the model can write text from nothing: it is causal and has a first token.
inline bool can_write_text(const ModelConfig& config) {
  return config.kind == ModelKind::kCausal && config.has_head && config.bos.has_value();
}

/// Bytes of KV cache per token for `size` key and value heads of the source in all, or as much in
/// groups of other widths, METHODS §0.
std::int64_t kv_bytes_per_token(const ModelConfig& config, double size, DType dtype);

}  // namespace regroup::models
