#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "models/elements/dtype.hpp"

namespace regroup::models {

/// How the elements of a tensor in a GGUF file are stored; the values are those of ggml's types.
enum class GgmlType : std::uint32_t {
  kF32 = 0,
  kF16 = 1,
  kQ8_0 = 8,  ///< blocks of 32 elements of a row: a scale in F16, then 32 signed bytes
  kBF16 = 30,
};

/// Elements of a block of Q8_0, and the bytes of it.
inline constexpr std::int64_t kQuantizedBlock = 32;
inline constexpr std::int64_t kQuantizedBlockBytes = 34;

/// The type that `--dtype` calls float32, float16, bfloat16 or q8_0. Throws InputError for all
/// others.
GgmlType find_ggml_type(std::string_view name);

/// The element type of weights, F32, F16 or BF16, as a type of ggml; others become F32.
GgmlType ggml_type_of(DType dtype);

/// The other way round, for all but Q8_0.
DType dtype_of(GgmlType type);

/// The number by which `general.file_type` says what most tensors of a file are.
std::uint32_t file_type(GgmlType type);

/// Whether rows of so many elements can be stored: those of Q8_0 in whole blocks.
bool fits_rows(GgmlType type, std::int64_t columns);

/// Bytes of a tensor, its shape row-major; nothing for a negative dimension, for rows that do not
/// fit, and where the product overflows.
std::optional<std::uint64_t> tensor_bytes(GgmlType type, std::span<const std::int64_t> shape);

/// Writes elements (F32, F16 or BF16, whole rows) as a type of ggml; `out` has the bytes of just as
/// many. Q8_0 as ggml's reference: of 32 elements x the scale is max|x| / 127, rounded to F16, and
/// an element round(127 · x / max|x|), halves away from zero. Throws WorkError that names `tensor`
/// for a finite number that the type does not reach, and for NaN and Inf in a block.
void store_elements(DType from, std::span<const std::byte> elements, GgmlType to,
                    std::span<std::byte> out, std::string_view tensor);

}  // namespace regroup::models
