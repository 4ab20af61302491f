#pragma once

#include <ATen/ATen.h>

namespace regroup::models {

/// What runs through the layers of a model.
struct Stream {
  at::Tensor hidden;  ///< [batch, length, D]
  /// Of an encoder-decoder: the target's embeddings while the encoder runs, …
  at::Tensor waiting;
  /// … and the encoder's output while the decoder runs.
  at::Tensor memory;
};

}  // namespace regroup::models
