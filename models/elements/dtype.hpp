#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace regroup::models {

/// The element types of the safetensors format.
///
/// Their order is that of the reference implementation, which lays tensors out in a file by
/// descending type, so that the widest come first and everything is aligned.
enum class DType {
  kBool,
  kF4,
  kF6E2M3,
  kF6E3M2,
  kU8,
  kI8,
  kF8E5M2,
  kF8E4M3,
  kF8E8M0,
  kF8E4M3Fnuz,
  kF8E5M2Fnuz,
  kI16,
  kU16,
  kF16,
  kBF16,
  kI32,
  kU32,
  kF32,
  kC64,
  kF64,
  kI64,
  kU64,
};

/// Every DType, in order.
std::span<const DType> all_dtypes();

/// The name in a safetensors header: "BF16". The view lives forever.
std::string_view safetensors_name(DType dtype);

/// The name in config.json and in PyTorch: "bfloat16". The view lives forever.
std::string_view config_name(DType dtype);

/// The type that a safetensors header calls `name`, if any. Constant time.
std::optional<DType> dtype_from_safetensors(std::string_view name);

/// The type that config.json calls `name`, with or without PyTorch's prefix: "bfloat16",
/// "torch.float16", if any.
std::optional<DType> dtype_from_config(std::string_view name);

/// The element type of weights that `--dtype` calls float32, float16 or bfloat16. Throws InputError
/// for all others.
DType find_weight_dtype(std::string_view name);

/// Bits of one element: 4 for F4, 6 for F6_…, else a multiple of 8.
std::size_t bit_width(DType dtype);

/// Bytes of one element. Throws InputError for F4 and F6_…, whose elements share bytes.
std::size_t byte_width(DType dtype);

/// Whether to_float and from_float (conversion.hpp) convert this type: F16, BF16, F32, F64.
bool is_weight_dtype(DType dtype);

/// Bytes of a tensor; nothing when a dimension is negative, when the product of the dimensions
/// (zeros left out) times the element's size overflows, or when it is not a whole number of bytes.
std::optional<std::uint64_t> tensor_bytes(DType dtype, std::span<const std::int64_t> shape);

/// "[256, 128]"; a shape of more than eight dimensions is cut: "[1, 1, 1, 1, 1, 1, 1, 1, ...]".
std::string shape_text(std::span<const std::int64_t> shape);

}  // namespace regroup::models
