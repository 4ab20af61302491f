#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "models/elements/dtype.hpp"

namespace regroup::models {

/// A tensor that lives in a mapped weight file; valid for as long as the file object that gave it.
struct TensorView {
  std::string name;
  DType dtype = DType::kF32;
  std::vector<std::int64_t> shape;   ///< row-major, outermost dimension first; [] is one element
  std::span<const std::byte> bytes;  ///< little-endian elements, not necessarily aligned
  std::filesystem::path file;

  /// The number of elements: the product of the shape.
  std::int64_t elements() const;
  /// "DIR/model.safetensors, tensor q_proj.weight", for messages.
  std::string where() const;
};

/// Throws InputError, naming file and tensor, unless the tensor has this shape.
void require_shape(const TensorView& tensor, const std::vector<std::int64_t>& shape);

/// Throws InputError, naming file and tensor, unless to_float can convert the tensor's elements.
void require_weight_dtype(const TensorView& tensor);

/// All elements as floats, in order; F64 is rounded. Throws InputError as require_weight_dtype.
std::vector<float> to_floats(const TensorView& tensor);

/// `tensor NAME` with control characters replaced and long names cut, for messages.
std::string tensor_label(const std::string& name);

}  // namespace regroup::models
