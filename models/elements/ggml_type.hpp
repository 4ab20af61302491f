#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "models/elements/dtype.hpp"

namespace regroup::models {

/// How the elements of a tensor in a GGUF file are stored; the values are those of ggml's types.
/// All but F32, F16 and BF16 store rows in blocks of neighbouring elements (ggml-quants.c): some
/// bits for each, and scales, in F16, for all. The blocks of the K types are divided in turn, into
/// parts of 16 or 32 with small scales of their own.
enum class GgmlType : std::uint32_t {
  kF32 = 0,
  kF16 = 1,
  kQ4_0 = 2,  ///< scale · (q - 8), q of 4 bits
  kQ4_1 = 3,  ///< scale · q + least
  kQ5_0 = 6,
  kQ5_1 = 7,
  kQ8_0 = 8,  ///< scale · q, q a signed byte
  kQ4_K = 12,
  kQ5_K = 13,
  kQ6_K = 14,
  kBF16 = 30,
};

/// The smallest part of a row that is stored by itself.
struct GgmlBlock {
  std::int64_t elements = 0;
  std::int64_t bytes = 0;
};

/// One of the types above by its number in a file, if it is one.
std::optional<GgmlType> ggml_type_of_number(std::uint32_t number);

/// Every type's name as ggml writes it: "F32", "Q4_K", with commas between them.
std::string ggml_type_names();

/// A type that is none of these, as messages name it: "Q2_K, type 10 of ggml".
std::string ggml_type_text(std::uint32_t number);

/// The type that `--dtype` calls float32, float16, bfloat16 or q8_0: one that can be written.
/// Throws InputError for all others.
GgmlType find_ggml_type(std::string_view name);

/// The element type of weights, F32, F16 or BF16, as a type of ggml; others become F32.
GgmlType ggml_type_of(DType dtype);

/// Whether elements share scales, and are read as F32.
bool is_block_type(GgmlType type);

/// The type of the elements: F16 and BF16 their own, all others F32.
DType dtype_of(GgmlType type);

/// The block of a type; of F32, F16 and BF16 one element.
GgmlBlock block_of(GgmlType type);

/// The number by which `general.file_type` says what most tensors of a file are.
std::uint32_t file_type(GgmlType type);

/// Whether rows of so many elements can be stored: in whole blocks.
bool fits_rows(GgmlType type, std::int64_t columns);

/// Bytes of a tensor, its shape row-major; nothing for a negative dimension, for rows that do not
/// fit, and where the product overflows.
std::optional<std::uint64_t> tensor_bytes(GgmlType type, std::span<const std::int64_t> shape);

/// Writes elements (F32, F16 or BF16, whole rows) as F32, F16, BF16 or Q8_0; `out` has the bytes of
/// just as many. Q8_0 as ggml's reference: of 32 elements x the scale is max|x| / 127, rounded to
/// F16, and an element round(127 · x / max|x|), halves away from zero. Throws WorkError that names
/// `tensor` for a finite number that the type does not reach, and for NaN and Inf in a block.
void store_elements(DType from, std::span<const std::byte> elements, GgmlType to,
                    std::span<std::byte> out, std::string_view tensor);

/// Reads whole blocks of a block type as floats, by the formulas, and in the order of operations in
/// float, of ggml's dequantize_row_…; `blocks` has the bytes of out.size() elements.
void read_blocks(GgmlType type, std::span<const std::byte> blocks, std::span<float> out);

}  // namespace regroup::models
