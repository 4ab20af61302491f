#pragma once

#include <ATen/ATen.h>

#include <optional>

#include "models/transformer/module_reader.hpp"

namespace regroup::models {

/// A batch of what a model reads, as tensors; what it does not read is undefined.
struct InputBatch {
  at::Tensor ids;          ///< [batch, length], int64
  at::Tensor decoder_ids;  ///< the same, of an encoder-decoder's target
  at::Tensor pixels;       ///< [batch, channels, height, width]
  at::Tensor features;     ///< of a sound, [batch, bands, frames]
};

/// What turns inputs into the first hidden states. Immutable.
class Embedding {
 public:
  /// An encoder-decoder has one for each of them.
  enum class Side { kInput, kTarget };
  Embedding(ModuleReader& reader, Side side);

  /// What the model reads, the ids of text at positions offset, offset + 1, … → [batch, length, D].
  at::Tensor operator()(const InputBatch& input, std::int64_t offset) const;
  /// ids [batch, length] → [batch, length, D].
  at::Tensor tokens(const at::Tensor& ids, std::int64_t offset) const;
  /// The token table, [vocabulary, its width].
  const at::Tensor& table() const { return table_; }

 private:
  /// A convolution.
  struct Kernel {
    at::Tensor weight;  // [D, channels, …]; undefined: none
    at::Tensor bias;
  };

  void read_tokens(ModuleReader& reader, Side side);
  void read_images(ModuleReader& reader);
  void read_sounds(ModuleReader& reader);
  static Kernel read_kernel(ModuleReader& reader, std::string_view module);
  /// The rows of the position table for these tokens, [length] or [batch, length].
  at::Tensor position_rows(const at::Tensor& ids, std::int64_t offset) const;
  /// Images → the class token and a token for each patch, [batch, 1 + patches, D].
  at::Tensor patches(const at::Tensor& pixels) const;
  /// Features of sounds → [batch, frames / 2, D].
  at::Tensor sounds(const at::Tensor& features) const;

  at::Tensor table_;
  at::ScalarType type_ = at::kFloat;  // of what it gives
  double scale_ = 1;
  at::Tensor positions_;  // [rows, D]; undefined: none, as all below
  at::Tensor token_type_;
  std::optional<Norm> norm_;
  std::optional<Linear> project_;
  std::int64_t position_offset_ = 0;
  std::optional<std::int32_t> padding_;
  Kernel patch_;
  at::Tensor class_token_;
  at::Tensor image_positions_;
  Kernel sound_;
  Kernel sound_reduction_;
};

}  // namespace regroup::models
