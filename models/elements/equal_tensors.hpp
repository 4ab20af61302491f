#pragma once

#include "models/elements/tensor_view.hpp"

namespace regroup::models {

/// Whether two tensors have the same type, shape and bytes, stored in the same way. Reads all bytes
/// of both, unless they are the same ones.
bool are_equal(const TensorView& a, const TensorView& b);

}  // namespace regroup::models
