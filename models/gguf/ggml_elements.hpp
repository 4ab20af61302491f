#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "models/elements/dtype.hpp"
#include "models/gguf/ggml_type.hpp"

namespace regroup::models {

/// Writes elements (F32, F16 or BF16, whole rows) as a type of ggml; `out` has the bytes of just as
/// many. Q8_0 as ggml's reference: of 32 elements x the scale is max|x| / 127, rounded to F16, and
/// an element round(127 · x / max|x|), halves away from zero. Throws WorkError that names `tensor`
/// for a finite number that the type does not reach, and for NaN and Inf in a block.
void store_elements(DType from, std::span<const std::byte> elements, GgmlType to,
                    std::span<std::byte> out, std::string_view tensor);

}  // namespace regroup::models
