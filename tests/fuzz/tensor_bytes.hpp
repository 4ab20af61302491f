#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

#include "models/elements/tensor_view.hpp"

namespace regroup::tests {

/// The bytes that a tensor of its shape and type takes.
inline std::size_t bytes_of_shape(const models::TensorView& tensor) {
  std::size_t bytes = models::byte_width(tensor.dtype);
  for (const std::int64_t extent : tensor.shape) bytes *= static_cast<std::size_t>(extent);
  return bytes;
}

/// Reads every byte of a tensor: how many are none of `own`, what its file has been filled with.
inline std::size_t count_foreign_bytes(const models::TensorView& tensor, std::string_view own) {
  return static_cast<std::size_t>(std::ranges::count_if(tensor.bytes, [&](std::byte byte) {
    return own.find(static_cast<char>(byte)) == std::string_view::npos;
  }));
}

}  // namespace regroup::tests
