#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

#include "models/elements/dtype.hpp"

/// Conversions between float and the two 16-bit floating point formats.
///
/// bfloat16 is the upper half of a float; float16 is IEEE 754 binary16. Widening is exact and keeps
/// every bit of a NaN. Narrowing rounds to nearest, ties to even; what is too large becomes
/// infinite; a NaN stays a NaN, made quiet, with the upper bits of its payload. The results do not
/// depend on flush-to-zero modes. Scalar functions are written without branches so that loops over
/// them are vectorised.
namespace regroup::models {

/// The float that a bfloat16's bits mean.
constexpr float bf16_to_float(std::uint16_t bits) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16U);
}

/// The bits of the bfloat16 nearest to `value`.
constexpr std::uint16_t float_to_bf16(float value) {
  constexpr std::uint32_t kInfinity = 0x7f80'0000;
  constexpr std::uint32_t kQuiet = 0x0040;
  const auto bits = std::bit_cast<std::uint32_t>(value);
  // Half a unit of the last kept place, less one if that place is even, carries where it must.
  const std::uint32_t rounded = (bits + 0x7fff + ((bits >> 16U) & 1U)) >> 16U;
  const std::uint32_t nan = (bits >> 16U) | kQuiet;
  return static_cast<std::uint16_t>((bits & 0x7fff'ffff) > kInfinity ? nan : rounded);
}

/// The float that a float16's bits mean.
constexpr float f16_to_float(std::uint16_t bits) {
  constexpr std::uint32_t kExponent = 0x7c00U << 13U;
  constexpr std::uint32_t kRebias = (127U - 15U) << 23U;
  const std::uint32_t sign = (bits & 0x8000U) << 16U;
  const std::uint32_t magnitude = (bits & 0x7fffU) << 13U;
  const std::uint32_t exponent = magnitude & kExponent;
  const std::uint32_t normal = magnitude + kRebias;
  const std::uint32_t special = magnitude | 0x7f80'0000U;  // infinity, NaN
  // A subnormal 0.m x 2^-14 is 1.m x 2^-14 - 2^-14, and both terms are normal floats.
  const float subnormal_value = std::bit_cast<float>(magnitude + kRebias + (1U << 23U)) -
                                std::bit_cast<float>(kRebias + (1U << 23U));
  const auto subnormal = std::bit_cast<std::uint32_t>(subnormal_value);
  const std::uint32_t finite = exponent == 0 ? subnormal : normal;
  return std::bit_cast<float>(sign | (exponent == kExponent ? special : finite));
}

/// The bits of the float16 nearest to `value`.
constexpr std::uint16_t float_to_f16(float value) {
  constexpr std::uint32_t kInfinity = 0x7f80'0000;
  constexpr std::uint32_t kOverflow = (127U + 16U) << 23U;       // 65536: all above is infinite
  constexpr std::uint32_t kSmallest = (127U - 14U) << 23U;       // 2^-14: all below is subnormal
  constexpr std::uint32_t kAligner = (127U - 14U + 13U) << 23U;  // 2^-1, see below
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t sign = (bits >> 16U) & 0x8000U;
  const std::uint32_t magnitude = bits & 0x7fff'ffffU;
  // As for bfloat16, with the exponent's bias changed; a carry out of 65504 gives infinity.
  const std::uint32_t normal =
      (magnitude - ((127U - 15U) << 23U) + 0xfff + ((magnitude >> 13U) & 1U)) >> 13U;
  // The last place of a float near 0.5 is 2^-24, that of a float16 subnormal: adding 0.5 lets the
  // hardware round there, ties to even. Larger values are replaced before they get here.
  const std::uint32_t small = magnitude < kSmallest ? magnitude : 0;
  const float aligned = std::bit_cast<float>(small) + std::bit_cast<float>(kAligner);
  const std::uint32_t subnormal = std::bit_cast<std::uint32_t>(aligned) - kAligner;
  const std::uint32_t finite = magnitude < kSmallest ? subnormal : normal;
  const std::uint32_t nan = 0x7e00U | ((magnitude >> 13U) & 0x3ffU);
  const std::uint32_t special = magnitude > kInfinity ? nan : 0x7c00U;
  return static_cast<std::uint16_t>(sign | (magnitude >= kOverflow ? special : finite));
}

/// Converts `bytes` (elements of F16, BF16, F32 or F64 one after another, at any alignment) to
/// out.size() floats; F64 is rounded. Throws InputError for another dtype and WorkError when the
/// lengths differ.
void to_float(DType dtype, std::span<const std::byte> bytes, std::span<float> out);

/// Converts floats to elements of F16, BF16, F32 or F64, rounding as above, into `out` (at any
/// alignment). Throws InputError for another dtype and WorkError when the lengths differ.
void from_float(DType dtype, std::span<const float> values, std::span<std::byte> out);

}  // namespace regroup::models
