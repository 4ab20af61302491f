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
};

/// What turns inputs into the first hidden states. Immutable.
class Embedding {
 public:
  explicit Embedding(ModuleReader& reader);

  /// ids [batch, length] at positions offset, offset + 1, … → [batch, length, D].
  at::Tensor tokens(const at::Tensor& ids, std::int64_t offset) const;
  /// Images → the class token and a token for each patch, [batch, 1 + patches, D].
  at::Tensor patches(const at::Tensor& pixels) const;
  /// The token table, [vocabulary, its width].
  const at::Tensor& table() const { return table_; }

 private:
  at::Tensor table_;
  at::Tensor positions_;  // [rows, D]; undefined: none, as all below
  at::Tensor token_type_;
  std::optional<Norm> norm_;
  std::optional<Linear> project_;
  std::int64_t position_offset_;
  at::Tensor patch_weight_;
  at::Tensor patch_bias_;
  at::Tensor class_token_;
  at::Tensor image_positions_;
};

}  // namespace regroup::models
