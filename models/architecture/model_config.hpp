#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "models/checkpoint/dtype.hpp"

namespace regroup::models {

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

/// What `config.json` says of a decoder, checked, in the field's terms; sizes are counts.
struct ModelConfig {
  std::string architecture;  ///< "LlamaForCausalLM"
  int layers = 0;
  int width = 0;        ///< D
  int query_heads = 0;  ///< H
  int kv_heads = 0;     ///< H_kv, divides H
  int head_dim = 0;     ///< d
  int mlp_width = 0;
  int vocabulary = 0;
  int context = 0;  ///< longest input, tokens
  double norm_epsilon = 0;
  RotaryConfig rotary;
  bool input_bias = false;   ///< of the query, key and value projections
  bool output_bias = false;  ///< of the attention's output projection
  /// By layer, the last tokens that a query sees, itself among them; 0: all. Empty: all everywhere.
  std::vector<int> sliding_windows;
  bool mlp_bias = false;
  bool tied_embeddings = false;
  std::optional<std::int32_t> bos;

  int queries_per_kv_head() const { return query_heads / kv_heads; }  ///< r
  /// Of one layer: 0 where a query sees all tokens before it.
  int sliding_window(std::size_t layer) const {
    return sliding_windows.empty() ? 0 : sliding_windows[layer];
  }
};

/// Bytes of KV cache per token for `kv_heads` key and value heads in all, METHODS §0.
std::int64_t kv_bytes_per_token(const ModelConfig& config, int kv_heads, DType dtype);

}  // namespace regroup::models
