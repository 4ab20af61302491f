#include "models/elements/dtype.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <limits>

#include "search/base/error.hpp"

namespace regroup::models {
namespace {

struct Row {
  DType dtype;
  std::size_t bits;
  std::string_view safetensors;
  std::string_view config;
};

constexpr std::array kTable = {
    Row{DType::kBool, 8, "BOOL", "bool"},
    Row{DType::kF4, 4, "F4", "float4_e2m1fn"},
    Row{DType::kF6E2M3, 6, "F6_E2M3", "float6_e2m3fn"},
    Row{DType::kF6E3M2, 6, "F6_E3M2", "float6_e3m2fn"},
    Row{DType::kU8, 8, "U8", "uint8"},
    Row{DType::kI8, 8, "I8", "int8"},
    Row{DType::kF8E5M2, 8, "F8_E5M2", "float8_e5m2"},
    Row{DType::kF8E4M3, 8, "F8_E4M3", "float8_e4m3fn"},
    Row{DType::kF8E8M0, 8, "F8_E8M0", "float8_e8m0fnu"},
    Row{DType::kF8E4M3Fnuz, 8, "F8_E4M3FNUZ", "float8_e4m3fnuz"},
    Row{DType::kF8E5M2Fnuz, 8, "F8_E5M2FNUZ", "float8_e5m2fnuz"},
    Row{DType::kI16, 16, "I16", "int16"},
    Row{DType::kU16, 16, "U16", "uint16"},
    Row{DType::kF16, 16, "F16", "float16"},
    Row{DType::kBF16, 16, "BF16", "bfloat16"},
    Row{DType::kI32, 32, "I32", "int32"},
    Row{DType::kU32, 32, "U32", "uint32"},
    Row{DType::kF32, 32, "F32", "float32"},
    Row{DType::kC64, 64, "C64", "complex64"},
    Row{DType::kF64, 64, "F64", "float64"},
    Row{DType::kI64, 64, "I64", "int64"},
    Row{DType::kU64, 64, "U64", "uint64"},
};

constexpr auto kDTypes = [] {
  std::array<DType, kTable.size()> dtypes{};
  for (std::size_t i = 0; i < kTable.size(); ++i) dtypes[i] = kTable[i].dtype;
  return dtypes;
}();

constexpr bool table_is_in_enum_order() {
  for (std::size_t i = 0; i < kTable.size(); ++i) {
    if (static_cast<std::size_t>(kTable[i].dtype) != i) return false;
  }
  return true;
}
static_assert(table_is_in_enum_order(), "row() looks a type up by its number");

const Row& row(DType dtype) {
  return kTable[static_cast<std::size_t>(dtype)];
}

std::optional<DType> find(std::string_view Row::*name, std::string_view wanted) {
  const auto found = std::find_if(kTable.begin(), kTable.end(),
                                  [&](const Row& entry) { return entry.*name == wanted; });
  if (found == kTable.end()) return std::nullopt;
  return found->dtype;
}

}  // namespace

std::span<const DType> all_dtypes() {
  return kDTypes;
}

std::string_view safetensors_name(DType dtype) {
  return row(dtype).safetensors;
}

std::string_view config_name(DType dtype) {
  return row(dtype).config;
}

std::optional<DType> dtype_from_safetensors(std::string_view name) {
  return find(&Row::safetensors, name);
}

std::optional<DType> dtype_from_config(std::string_view name) {
  constexpr std::string_view kPrefix = "torch.";
  if (name.starts_with(kPrefix)) name.remove_prefix(kPrefix.size());
  return find(&Row::config, name);
}

DType find_weight_dtype(std::string_view name) {
  for (const DType dtype : {DType::kF32, DType::kF16, DType::kBF16}) {
    if (name == config_name(dtype)) return dtype;
  }
  throw InputError({.what = "element type of weights is not known",
                    .where = "--dtype",
                    .expected = "float32, float16 or bfloat16",
                    .found = std::string(name)});
}

std::size_t bit_width(DType dtype) {
  return row(dtype).bits;
}

std::size_t byte_width(DType dtype) {
  if (bit_width(dtype) % 8 == 0) return bit_width(dtype) / 8;
  throw InputError({.what = "element type has no whole number of bytes",
                    .where = "",
                    .expected = "an element type of at least 8 bits",
                    .found = std::string(safetensors_name(dtype))});
}

bool is_weight_dtype(DType dtype) {
  return dtype == DType::kF16 || dtype == DType::kBF16 || dtype == DType::kF32 ||
         dtype == DType::kF64;
}

std::optional<std::uint64_t> tensor_bytes(DType dtype, std::span<const std::int64_t> shape) {
  // Sizes stay below 2^63, so that they and all strides fit the signed integers of other libraries.
  constexpr auto kMax = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  std::uint64_t bits = bit_width(dtype);
  bool empty = false;
  for (const std::int64_t dimension : shape) {
    if (dimension < 0) return std::nullopt;
    empty = empty || dimension == 0;
    const auto factor = static_cast<std::uint64_t>(std::max<std::int64_t>(dimension, 1));
    if (bits > kMax / factor) return std::nullopt;
    bits *= factor;
  }
  if (empty) return 0;
  if (bits % 8 != 0) return std::nullopt;
  return bits / 8;
}

std::string shape_text(std::span<const std::int64_t> shape) {
  constexpr std::size_t kMaxShown = 8;
  const auto shown = shape.first(std::min(shape.size(), kMaxShown));
  return fmt::format("[{}{}]", fmt::join(shown.begin(), shown.end(), ", "),
                     shape.size() > kMaxShown ? ", ..." : "");
}

}  // namespace regroup::models
