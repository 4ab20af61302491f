#include "models/elements/equal_tensors.hpp"

#include <algorithm>

namespace regroup::models {

bool are_equal(const TensorView& a, const TensorView& b) {
  if (a.dtype != b.dtype || a.shape != b.shape || a.storage != b.storage) return false;
  return a.bytes.data() == b.bytes.data() || std::ranges::equal(a.bytes, b.bytes);
}

}  // namespace regroup::models
