#include "models/elements/half.hpp"

#include <fmt/format.h>

#include <cstring>

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
template <typename Stored, typename Convert>
void widen(const std::byte* bytes, std::span<float> out, Convert convert) {
  for (std::size_t i = 0; i < out.size(); ++i) {
    Stored stored;
    std::memcpy(&stored, bytes + i * sizeof(Stored), sizeof(Stored));
    out[i] = convert(stored);
  }
}

template <typename Stored, typename Convert>
void narrow(std::span<const float> values, std::byte* out, Convert convert) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    const Stored stored = convert(values[i]);
    std::memcpy(out + i * sizeof(Stored), &stored, sizeof(Stored));
  }
}

}  // namespace

void to_float(DType dtype, std::span<const std::byte> bytes, std::span<float> out) {
  require_convertible(dtype, out.size(), bytes.size());
  if (out.empty()) return;
  switch (dtype) {
    case DType::kBF16:
      return widen<std::uint16_t>(bytes.data(), out, bf16_to_float);
    case DType::kF16:
      return widen<std::uint16_t>(bytes.data(), out, f16_to_float);
    case DType::kF64:
      return widen<double>(bytes.data(), out, [](double v) { return static_cast<float>(v); });
    default:
      std::memcpy(out.data(), bytes.data(), bytes.size());
  }
}

void from_float(DType dtype, std::span<const float> values, std::span<std::byte> out) {
  require_convertible(dtype, values.size(), out.size());
  if (out.empty()) return;
  switch (dtype) {
    case DType::kBF16:
      return narrow<std::uint16_t>(values, out.data(), float_to_bf16);
    case DType::kF16:
      return narrow<std::uint16_t>(values, out.data(), float_to_f16);
    case DType::kF64:
      return narrow<double>(values, out.data(), [](float v) { return static_cast<double>(v); });
    default:
      std::memcpy(out.data(), values.data(), out.size());
  }
}

}  // namespace regroup::models
