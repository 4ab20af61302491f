#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace regroup::models {

/// Elements that lie in memory at regular distances.
struct StridedLayout {
  std::span<const std::int64_t> shape;    ///< outermost dimension first, none negative
  std::span<const std::int64_t> strides;  ///< elements from one index to the next, per dimension
};

/// How many elements, from the first of the layout on, its elements reach over: 0 for an empty one,
/// none where a stride is negative or the number exceeds 2^63 - 1. Example: shape [2, 3], strides
/// [1, 2] → 6; strides [4, 1] → 7.
std::optional<std::int64_t> reach(const StridedLayout& layout);

/// Whether the elements lie one after another in row-major order.
bool is_row_major(const StridedLayout& layout);

/// Copies the elements, `width` bytes each, to `out` in row-major order; `bytes` begins with the
/// first element and covers the layout's reach, `out` has just its size.
void copy_row_major(const StridedLayout& layout, std::size_t width,
                    std::span<const std::byte> bytes, std::span<std::byte> out);

}  // namespace regroup::models
