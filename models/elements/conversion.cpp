#include "models/elements/conversion.hpp"

#include <fmt/format.h>
#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "search/base/error.hpp"

namespace regroup::models {
namespace {

void require_convertible(DType dtype, std::size_t elements, std::size_t bytes) {
  if (!is_weight_dtype(dtype)) {
    throw InputError({.what = "element type cannot be used for weights",
                      .where = "",
                      .expected = "F32, BF16, F16 or F64",
                      .found = std::string(safetensors_name(dtype))});
  }
  if (elements * byte_width(dtype) == bytes) return;
  throw WorkError({.what = "buffers of a conversion differ in length",
                   .where = std::string(safetensors_name(dtype)),
                   .expected = fmt::format("{} bytes", elements * byte_width(dtype)),
                   .found = fmt::format("{} bytes", bytes)});
}

/// Elements in a file may stand at any address, so they are copied, which costs nothing.
template <typename Stored>
void widen(const std::byte* bytes, std::span<float> out) {
  for (std::size_t i = 0; i < out.size(); ++i) {
    Stored stored;
    std::memcpy(&stored, bytes + i * sizeof(Stored), sizeof(Stored));
    out[i] = static_cast<float>(stored);
  }
}

template <typename Stored>
void narrow(std::span<const float> values, std::byte* out) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    const Stored stored(values[i]);
    std::memcpy(out + i * sizeof(Stored), &stored, sizeof(Stored));
  }
}

/// Elements that are converted at a time.
constexpr std::size_t kChunk = 1 << 16;

[[noreturn]] void refuse_out_of_reach(std::string_view type, double value,
                                      std::string_view tensor) {
  throw WorkError({.what = "weight is too large for the element type",
                   .where = std::string(tensor),
                   .expected = fmt::format("a number that {} holds", type),
                   .found = std::to_string(value)});
}

/// Numbers of F64 are rounded to floats on their way to another type.
void require_floats_reach(DType from, std::span<const std::byte> elements,
                          std::span<const float> values, std::string_view tensor) {
  if (from != DType::kF64) return;
  for (std::size_t i = 0; i < values.size(); ++i) {
    double value = 0;
    std::memcpy(&value, elements.data() + i * sizeof value, sizeof value);
    if (std::isfinite(value) && !std::isfinite(values[i])) {
      refuse_out_of_reach("float32", value, tensor);
    }
  }
}

void require_in_reach(std::span<const float> values, std::span<const float> converted, DType to,
                      std::string_view tensor) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (std::isfinite(converted[i]) || !std::isfinite(values[i])) continue;
    refuse_out_of_reach(config_name(to), values[i], tensor);
  }
}

}  // namespace

void to_float(DType dtype, std::span<const std::byte> bytes, std::span<float> out) {
  require_convertible(dtype, out.size(), bytes.size());
  if (out.empty()) return;
  switch (dtype) {
    case DType::kBF16:
      return widen<Eigen::bfloat16>(bytes.data(), out);
    case DType::kF16:
      return widen<Eigen::half>(bytes.data(), out);
    case DType::kF64:
      return widen<double>(bytes.data(), out);
    default:
      std::memcpy(out.data(), bytes.data(), bytes.size());
  }
}

void from_float(DType dtype, std::span<const float> values, std::span<std::byte> out) {
  require_convertible(dtype, values.size(), out.size());
  if (out.empty()) return;
  switch (dtype) {
    case DType::kBF16:
      return narrow<Eigen::bfloat16>(values, out.data());
    case DType::kF16:
      return narrow<Eigen::half>(values, out.data());
    case DType::kF64:
      return narrow<double>(values, out.data());
    default:
      std::memcpy(out.data(), values.data(), out.size());
  }
}

void convert_elements(DType from, std::span<const std::byte> elements, DType to,
                      std::span<std::byte> out, std::string_view tensor) {
  if (from == to) {
    std::ranges::copy(elements, out.begin());
    return;
  }
  std::vector<float> values;
  std::vector<float> converted;
  const std::size_t count = elements.size() / byte_width(from);
  for (std::size_t first = 0; first < count; first += kChunk) {
    const std::size_t size = std::min(kChunk, count - first);
    values.resize(size);
    converted.resize(size);
    const auto part = elements.subspan(first * byte_width(from), size * byte_width(from));
    to_float(from, part, values);
    require_floats_reach(from, part, values, tensor);
    const auto chunk = out.subspan(first * byte_width(to), size * byte_width(to));
    from_float(to, values, chunk);
    to_float(to, chunk, converted);
    require_in_reach(values, converted, to, tensor);
  }
}

}  // namespace regroup::models
