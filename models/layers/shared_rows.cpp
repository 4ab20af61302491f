#include "models/layers/shared_rows.hpp"

#include <algorithm>
#include <numeric>

namespace regroup::models {

SharedRows SharedRows::of_heads(const HeadLayout& head, int heads) {
  return {std::vector<int>(head.planes.size(), heads), heads * head.block_rows()};
}

int SharedRows::width() const {
  return 2 * std::accumulate(planes.begin(), planes.end(), 0) + block;
}

std::vector<int> SharedRows::frequencies() const {
  std::vector<int> result;
  for (std::size_t c = 0; c < planes.size(); ++c) {
    result.insert(result.end(), static_cast<std::size_t>(planes[c]), static_cast<int>(c));
  }
  return result;
}

HeadLayout SharedRows::layout(RotaryLayout pairs) const {
  return HeadLayout::of_pairs(width(), (width() - block) / 2, pairs);
}

LayerWidths layer_widths(const search::GroupWidths& groups) {
  return {std::ranges::max(groups.keys), std::ranges::max(groups.values),
          groups.has_free_frequencies()};
}

}  // namespace regroup::models
