#pragma once

#include <cstdint>
#include <optional>

#include "models/elements/tensor_view.hpp"

namespace regroup::models {

/// Index, in row-major order, of the first element that is NaN or infinite, or becomes infinite in
/// float32, in which weights are computed, if any. Looks at F16, BF16, F32 and F64; elements of
/// other types count as finite. Uses the OpenMP threads; the result does not depend on their
/// number.
std::optional<std::int64_t> first_not_finite(const TensorView& tensor);

/// Throws InputError, naming file, tensor and element, when there is one.
void require_finite(const TensorView& tensor);

}  // namespace regroup::models
