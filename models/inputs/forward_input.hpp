#pragma once

#include <cstdint>
#include <vector>

namespace regroup::models {

/// What one forward pass reads; what the model does not read stays empty.
struct ForwardInput {
  std::vector<std::int32_t> ids;
  std::vector<std::int32_t> decoder_ids;  ///< of an encoder-decoder, its first id included
  std::vector<float> pixels;              ///< [channels · height · width], normalised
};

}  // namespace regroup::models
