#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "search/base/random.hpp"

namespace regroup::models {

/// Which windows each step of a training sees: all of them in random order, then all again in
/// another. A step's windows depend on its number alone. Not thread-safe.
class WindowOrder {
 public:
  /// `windows` and `each` ≥ 1.
  WindowOrder(std::size_t windows, std::size_t each, search::RandomKey key)
      : windows_(windows), each_(each), key_(key) {}

  /// `each` numbers of windows, of which one may stand twice where the step has more than there
  /// are. O(windows) where another round begins.
  std::vector<std::size_t> of_step(std::uint64_t step);

 private:
  std::size_t at(std::uint64_t place);

  std::size_t windows_;
  std::size_t each_;
  search::RandomKey key_;
  std::uint64_t round_ = 0;
  std::vector<std::size_t> order_;  // of that round; empty: none yet
};

}  // namespace regroup::models
