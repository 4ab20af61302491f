#pragma once

#include <ATen/ATen.h>

#include <vector>

#include "models/transformer/stream.hpp"

namespace regroup::models {

/// The parts of a stream that gradients pass through from layer to layer.
inline std::vector<at::Tensor> parts_of(const Stream& stream) {
  std::vector<at::Tensor> parts = {stream.hidden};
  if (stream.memory.defined()) parts.push_back(stream.memory);
  return parts;
}

/// The same stream, recording gradients from here on.
inline Stream leaf_of(const Stream& stream) {
  Stream leaf = stream;
  leaf.hidden = stream.hidden.detach().requires_grad_(true);
  if (stream.memory.defined()) leaf.memory = stream.memory.detach().requires_grad_(true);
  return leaf;
}

}  // namespace regroup::models
