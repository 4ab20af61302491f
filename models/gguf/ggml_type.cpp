#include "models/gguf/ggml_type.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "search/base/error.hpp"

namespace regroup::models {
namespace {

struct TypeEntry {
  GgmlType type;
  std::string_view name;
  std::uint32_t file_type;  ///< LLAMA_FTYPE_… in llama.h
};

constexpr std::array kTypes = {
    TypeEntry{GgmlType::kF32, "float32", 0}, TypeEntry{GgmlType::kF16, "float16", 1},
    TypeEntry{GgmlType::kBF16, "bfloat16", 32}, TypeEntry{GgmlType::kQ8_0, "q8_0", 7}};

}  // namespace

GgmlType find_ggml_type(std::string_view name) {
  for (const TypeEntry& entry : kTypes) {
    if (entry.name == name) return entry.type;
  }
  throw InputError({.what = "element type of a GGUF file is not known",
                    .where = "--dtype",
                    .expected = "float32, float16, bfloat16 or q8_0",
                    .found = std::string(name)});
}

GgmlType ggml_type_of(DType dtype) {
  if (dtype == DType::kF16) return GgmlType::kF16;
  return dtype == DType::kBF16 ? GgmlType::kBF16 : GgmlType::kF32;
}

DType dtype_of(GgmlType type) {
  if (type == GgmlType::kF16) return DType::kF16;
  return type == GgmlType::kBF16 ? DType::kBF16 : DType::kF32;
}

std::uint32_t file_type(GgmlType type) {
  return std::find_if(kTypes.begin(), kTypes.end(),
                      [&](const TypeEntry& entry) { return entry.type == type; })
      ->file_type;
}

bool fits_rows(GgmlType type, std::int64_t columns) {
  return type != GgmlType::kQ8_0 || columns % kQuantizedBlock == 0;
}

std::optional<std::uint64_t> tensor_bytes(GgmlType type, std::span<const std::int64_t> shape) {
  if (type != GgmlType::kQ8_0) return tensor_bytes(dtype_of(type), shape);
  if (shape.empty() || !fits_rows(type, shape.back())) return std::nullopt;
  std::vector<std::int64_t> blocks(shape.begin(), shape.end());
  blocks.back() /= kQuantizedBlock;
  blocks.push_back(kQuantizedBlockBytes);
  return tensor_bytes(DType::kU8, blocks);
}

}  // namespace regroup::models
