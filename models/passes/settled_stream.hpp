#pragma once

#include "models/tensors/scratch_tensor.hpp"
#include "models/transformer/stream.hpp"

namespace regroup::models {

/// The stream where a computation keeps what lives long (scratch_tensor.hpp).
inline Stream settled(const Stream& stream, const ComputeOptions& options) {
  return {settled(stream.hidden, options), settled(stream.waiting, options),
          settled(stream.memory, options)};
}

}  // namespace regroup::models
