#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "models/elements/dtype.hpp"

namespace regroup::models {

/// The element type of weights that `--dtype` calls float32, float16 or bfloat16. Throws InputError
/// for all others.
DType find_weight_dtype(std::string_view name);

/// Copies elements (F32, F16, BF16) to another of these types; `out` has room for just as many. A
/// finite number that the new type does not reach is refused: throws WorkError that names `tensor`.
void convert_elements(DType from, std::span<const std::byte> elements, DType to,
                      std::span<std::byte> out, std::string_view tensor);

}  // namespace regroup::models
