#include "models/layers/head_layout.hpp"

namespace regroup::models {

HeadLayout HeadLayout::of_keys(const ModelConfig& config) {
  HeadLayout layout{config.head_dim, {}, config.rotary.dimensions};
  const int half = config.rotary.dimensions / 2;
  for (int c = 0; c < half; ++c) {
    layout.planes.push_back(config.rotary.layout == RotaryLayout::kHalfSplit
                                ? std::pair(c, c + half)
                                : std::pair(2 * c, 2 * c + 1));
  }
  return layout;
}

HeadLayout HeadLayout::of_values(const ModelConfig& config) {
  return {config.head_dim, {}, 0};
}

}  // namespace regroup::models
