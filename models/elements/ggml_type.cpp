#include "models/elements/ggml_type.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

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
  GgmlBlock block;
  std::uint32_t file_type;       ///< LLAMA_FTYPE_… in llama.h
  std::string_view option = {};  ///< of `--dtype`; empty: it is read alone
};

constexpr std::array kTypes = {TypeEntry{GgmlType::kF32, "F32", {1, 4}, 0, "float32"},
                               TypeEntry{GgmlType::kF16, "F16", {1, 2}, 1, "float16"},
                               TypeEntry{GgmlType::kBF16, "BF16", {1, 2}, 32, "bfloat16"},
                               TypeEntry{GgmlType::kQ8_0, "Q8_0", {32, 34}, 7, "q8_0"},
                               TypeEntry{GgmlType::kQ4_0, "Q4_0", {32, 18}, 2},
                               TypeEntry{GgmlType::kQ4_1, "Q4_1", {32, 20}, 3},
                               TypeEntry{GgmlType::kQ5_0, "Q5_0", {32, 22}, 8},
                               TypeEntry{GgmlType::kQ5_1, "Q5_1", {32, 24}, 9},
                               TypeEntry{GgmlType::kQ4_K, "Q4_K", {256, 144}, 15},
                               TypeEntry{GgmlType::kQ5_K, "Q5_K", {256, 176}, 17},
                               TypeEntry{GgmlType::kQ6_K, "Q6_K", {256, 210}, 18}};

/// A type of ggml that is not read.
struct OtherType {
  std::uint32_t number;  ///< in a file
  std::string_view name;
};

constexpr std::array kOtherTypes = {
    OtherType{9, "Q8_1"},     OtherType{10, "Q2_K"},    OtherType{11, "Q3_K"},
    OtherType{15, "Q8_K"},    OtherType{16, "IQ2_XXS"}, OtherType{17, "IQ2_XS"},
    OtherType{18, "IQ3_XXS"}, OtherType{19, "IQ1_S"},   OtherType{20, "IQ4_NL"},
    OtherType{21, "IQ3_S"},   OtherType{22, "IQ2_S"},   OtherType{23, "IQ4_XS"},
    OtherType{24, "I8"},      OtherType{25, "I16"},     OtherType{26, "I32"},
    OtherType{27, "I64"},     OtherType{28, "F64"},     OtherType{29, "IQ1_M"},
    OtherType{34, "TQ1_0"},   OtherType{35, "TQ2_0"},   OtherType{39, "MXFP4"},
    OtherType{40, "NVFP4"}};

const TypeEntry& entry_of(GgmlType type) {
  return *std::find_if(kTypes.begin(), kTypes.end(),
                       [&](const TypeEntry& entry) { return entry.type == type; });
}

}  // namespace

std::optional<GgmlType> ggml_type_of_number(std::uint32_t number) {
  for (const TypeEntry& entry : kTypes) {
    if (static_cast<std::uint32_t>(entry.type) == number) return entry.type;
  }
  return std::nullopt;
}

std::string ggml_type_names() {
  std::vector<std::string_view> names;
  for (const TypeEntry& entry : kTypes) names.push_back(entry.name);
  return fmt::format("{}", fmt::join(names, ", "));
}

std::string ggml_type_text(std::uint32_t number) {
  const std::string text = fmt::format("type {} of ggml", number);
  const auto known = std::ranges::find(kOtherTypes, number, &OtherType::number);
  return known == kOtherTypes.end() ? text : fmt::format("{}, {}", known->name, text);
}

GgmlType find_ggml_type(std::string_view name) {
  for (const TypeEntry& entry : kTypes) {
    if (!name.empty() && entry.option == name) return entry.type;
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

bool is_block_type(GgmlType type) {
  return block_of(type).elements > 1;
}

DType dtype_of(GgmlType type) {
  if (type == GgmlType::kF16) return DType::kF16;
  return type == GgmlType::kBF16 ? DType::kBF16 : DType::kF32;
}

GgmlBlock block_of(GgmlType type) {
  return entry_of(type).block;
}

std::uint32_t file_type(GgmlType type) {
  return entry_of(type).file_type;
}

bool fits_rows(GgmlType type, std::int64_t columns) {
  return columns % block_of(type).elements == 0;
}

std::optional<std::uint64_t> tensor_bytes(GgmlType type, std::span<const std::int64_t> shape) {
  if (!is_block_type(type)) return tensor_bytes(dtype_of(type), shape);
  if (shape.empty() || !fits_rows(type, shape.back())) return std::nullopt;
  std::vector<std::int64_t> blocks(shape.begin(), shape.end());
  blocks.back() /= block_of(type).elements;
  blocks.push_back(block_of(type).bytes);
  return tensor_bytes(DType::kU8, blocks);
}

}  // namespace regroup::models
