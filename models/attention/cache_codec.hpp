#pragma once

#include <ATen/ATen.h>

#include "models/pretrained/cache_type.hpp"

namespace regroup::models {

/// Numbers of one stored head.
struct HeadWidths {
  std::int64_t key = 0;
  std::int64_t value = 0;
};

/// In which order llama.cpp keeps the rows of a key head.
enum class KeyOrder {
  kAsIs,         ///< that of the checkpoint
  kInterleaved,  ///< 0, d/2, 1, d/2 + 1, …
};

/// The order for a model: interleaved for Llama and Mistral.
KeyOrder cache_key_order(const ModelConfig& config);

/// Keys and values as the cache of a type gives them back: rounded to its format, in the element
/// type in which they came. Immutable.
///
/// q8_0 and q4_0 round bit by bit as llama.cpp's reference rows do; values that are not finite, or
/// beyond the range of the float16 scale, make their whole block not finite. As llama.cpp
/// (`llama-kv-cache.cpp`) does for keys, and for values, of a multiple of 64 dimensions, the rows
/// are turned by an orthonormal Hadamard matrix before they are rounded, which spreads outliers
/// over a block: of keys in parts of the largest power of two that divides their width, of values
/// in parts of 64. There the queries are turned alike and the attention's output is turned back;
/// here what is stored is turned back itself, which is the same, and nothing else changes. Queries
/// stay as they are, where llama.cpp's kernel on the CPU rounds them to q8_0: perplexities agree to
/// 0.1 % all the same.
///
/// Of Llama and Mistral, llama.cpp keeps the key rows that rotary embedding turns together, (c, c +
/// d/2), beside each other; turning and rounding follow it.
class CacheCodec {
 public:
  /// Leaves everything as it is.
  CacheCodec() = default;
  /// Throws InputError for a type with blocks of which the heads are no whole number.
  CacheCodec(CacheType type, HeadWidths widths, KeyOrder order, const at::Device& device);

  /// Rotated keys [batch, n_K, length, d].
  at::Tensor keys(const at::Tensor& keys) const;
  /// Values [batch, n_V, length, d].
  at::Tensor values(const at::Tensor& values) const { return stored(values, value_turn_); }

 private:
  at::Tensor stored(const at::Tensor& rows, const at::Tensor& turn) const;

  CacheType type_ = CacheType::kExact;
  KeyOrder order_ = KeyOrder::kAsIs;
  // Hadamard matrices, [n, n]; undefined where rows are rounded as they are.
  at::Tensor key_turn_;
  at::Tensor value_turn_;
};

/// What is left of values, in order blocks of 32 along the last dimension, float32 → the same
/// shape.
at::Tensor rounded_to_q8_0(const at::Tensor& values);
at::Tensor rounded_to_q4_0(const at::Tensor& values);

/// The orthonormal, symmetric Hadamard matrix of Sylvester's construction, [n, n], float32, n a
/// power of two.
at::Tensor hadamard(std::int64_t n);

}  // namespace regroup::models
