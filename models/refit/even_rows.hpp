#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace regroup::models {

/// Every `step`-th position of a window, from `first` on.
struct EvenRows {
  std::size_t window;
  std::int64_t first;
  std::int64_t step;

  bool operator==(const EvenRows&) const = default;
};

/// At most `most` ≥ 1 positions of windows of these lengths, with one step over all windows in a
/// row; windows that have none of them are left out.
std::vector<EvenRows> even_rows(std::span<const std::int64_t> lengths, std::int64_t most);

}  // namespace regroup::models
