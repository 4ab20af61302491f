#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "models/elements/dtype.hpp"

/// Conversions between float and the types that weights have in files. The 16-bit ones are those of
/// Eigen::half (IEEE 754 binary16) and Eigen::bfloat16 (the upper half of a float): widening is
/// exact; narrowing rounds to nearest, ties to even; what is too large becomes infinite, and a NaN
/// stays a NaN.
namespace regroup::models {

/// Converts `bytes` (elements of F16, BF16, F32 or F64 one after another, at any alignment) to
/// out.size() floats; F64 is rounded. Throws InputError for another dtype and WorkError when the
/// lengths differ.
void to_float(DType dtype, std::span<const std::byte> bytes, std::span<float> out);

/// Converts floats to elements of F16, BF16, F32 or F64, rounding as above, into `out` (at any
/// alignment). Throws InputError for another dtype and WorkError when the lengths differ.
void from_float(DType dtype, std::span<const float> values, std::span<std::byte> out);

/// Copies elements (F32, F16, BF16, F64) to another of these types; `out` has room for just as
/// many. A finite number that the new type, or float32 on the way from F64, does not reach is
/// refused: throws WorkError that names `tensor`.
void convert_elements(DType from, std::span<const std::byte> elements, DType to,
                      std::span<std::byte> out, std::string_view tensor);

}  // namespace regroup::models
