#include "models/elements/ggml_type.hpp"

#include <Eigen/Core>
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <string>

#include "models/elements/conversion.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

// A block of Q8_0.
constexpr std::size_t kBlock = 32;
constexpr std::size_t kBlockBytes = 34;
constexpr float kLargestQuant = 127;

using Block = std::array<float, kBlock>;

float largest_magnitude(const Block& values, std::string_view tensor) {
  float largest = 0;
  for (const float value : values) {
    if (!std::isfinite(value)) {
      throw WorkError({.what = "weight cannot be quantized",
                       .where = std::string(tensor),
                       .expected = "finite numbers",
                       .found = std::to_string(value)});
    }
    largest = std::max(largest, std::abs(value));
  }
  return largest;
}

void quantize(const Block& values, std::span<std::byte> out, std::string_view tensor) {
  const float scale = largest_magnitude(values, tensor) / kLargestQuant;
  const Eigen::half stored(scale);
  if (!std::isfinite(static_cast<float>(stored))) {
    throw WorkError({.what = "weight is too large for the element type",
                     .where = std::string(tensor),
                     .expected = "a scale that q8_0 holds",
                     .found = std::to_string(scale)});
  }
  out[0] = static_cast<std::byte>(stored.x & 0xffU);
  out[1] = static_cast<std::byte>(stored.x >> 8U);
  const float inverse = scale == 0 ? 0 : 1 / scale;
  for (std::size_t i = 0; i < kBlock; ++i) {
    out[2 + i] = static_cast<std::byte>(static_cast<std::int8_t>(std::round(values[i] * inverse)));
  }
}

}  // namespace

void store_elements(DType from, std::span<const std::byte> elements, GgmlType to,
                    std::span<std::byte> out, std::string_view tensor) {
  if (!is_block_type(to)) {
    convert_elements(from, elements, dtype_of(to), out, tensor);
    return;
  }
  if (to != GgmlType::kQ8_0) {
    throw WorkError({.what = "element type is read and not written", .where = std::string(tensor)});
  }
  const std::size_t bytes = kBlock * byte_width(from);
  Block values;
  for (std::size_t block = 0; block * bytes < elements.size(); ++block) {
    to_float(from, elements.subspan(block * bytes, bytes), values);
    quantize(values, out.subspan(block * kBlockBytes, kBlockBytes), tensor);
  }
}

}  // namespace regroup::models
