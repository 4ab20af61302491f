#include "models/refit/attended_blocks.hpp"

#include <algorithm>

namespace regroup::models {

std::vector<AttendedBlock> attended_blocks(const at::Tensor& attention, std::int64_t rows) {
  std::vector<AttendedBlock> blocks;
  const std::int64_t all = attention.size(2);
  for (std::int64_t first = 0; first < all; first += rows) {
    AttendedBlock block{first, std::min(first + rows, all), 0, attention.size(3)};
    const at::Tensor largest = block.of_rows(attention).amax(at::IntArrayRef{0, 1, 2});
    const at::Tensor attended = largest.nonzero();
    if (attended.size(0) > 0) {
      block.first_key = attended[0].item<std::int64_t>();
      block.end_key = attended[-1].item<std::int64_t>() + 1;
    }
    blocks.push_back(block);
  }
  return blocks;
}

}  // namespace regroup::models
