#include "models/layers/head_layout.hpp"

namespace regroup::models {

HeadLayout HeadLayout::of_pairs(int width, int pairs, RotaryLayout order) {
  HeadLayout layout{width, {}, 2 * pairs};
  for (int c = 0; c < pairs; ++c) {
    layout.planes.push_back(order == RotaryLayout::kHalfSplit ? std::pair(c, c + pairs)
                                                              : std::pair(2 * c, 2 * c + 1));
  }
  return layout;
}

HeadLayout HeadLayout::of_keys(const ModelConfig& config) {
  return of_pairs(config.head_dim, config.rotary.dimensions / 2, config.rotary.layout);
}

HeadLayout HeadLayout::of_values(const ModelConfig& config) {
  return {config.head_dim, {}, 0};
}

}  // namespace regroup::models
