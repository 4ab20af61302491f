#include "models/elements/strided_bytes.hpp"

#include <algorithm>
#include <cstring>
#include <limits>

namespace regroup::models {
namespace {

bool is_empty(const StridedLayout& layout) {
  return std::find(layout.shape.begin(), layout.shape.end(), 0) != layout.shape.end();
}

/// Copies one dimension and those within it; returns where the next element goes.
std::byte* copy_dimension(const StridedLayout& layout, std::size_t dimension, std::size_t width,
                          const std::byte* from, std::byte* to) {
  if (dimension == layout.shape.size()) {
    std::memcpy(to, from, width);
    return to + width;
  }
  const std::ptrdiff_t step = layout.strides[dimension] * static_cast<std::ptrdiff_t>(width);
  for (std::int64_t i = 0; i < layout.shape[dimension]; ++i) {
    to = copy_dimension(layout, dimension + 1, width, from + i * step, to);
  }
  return to;
}

}  // namespace

std::optional<std::int64_t> reach(const StridedLayout& layout) {
  constexpr auto kMax = std::numeric_limits<std::int64_t>::max();
  if (is_empty(layout)) return 0;
  std::int64_t reached = 1;
  for (std::size_t i = 0; i < layout.shape.size(); ++i) {
    const std::int64_t steps = layout.shape[i] - 1;
    const std::int64_t stride = layout.strides[i];
    if (stride < 0 || (steps > 0 && stride > (kMax - reached) / steps)) return std::nullopt;
    reached += steps * stride;
  }
  return reached;
}

bool is_row_major(const StridedLayout& layout) {
  std::int64_t expected = 1;
  for (std::size_t i = layout.shape.size(); i-- > 0;) {
    if (layout.shape[i] != 1 && layout.strides[i] != expected) return is_empty(layout);
    expected *= layout.shape[i];
  }
  return true;
}

void copy_row_major(const StridedLayout& layout, std::size_t width,
                    std::span<const std::byte> bytes, std::span<std::byte> out) {
  if (!out.empty()) copy_dimension(layout, 0, width, bytes.data(), out.data());
}

}  // namespace regroup::models
