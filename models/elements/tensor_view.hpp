#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "models/elements/dtype.hpp"
#include "models/elements/ggml_type.hpp"

namespace regroup::models {

/// How the bytes of a tensor hold its elements.
struct TensorStorage {
  /// The elements are F32 and stand in blocks of this type; none: they are the bytes.
  std::optional<GgmlType> blocks = {};
  /// d, where rows c and c + d/2 of every d rows (of a vector: elements) are stored as rows 2c and
  /// 2c + 1, as llama.cpp turns them; 0: rows stand in order.
  std::int64_t paired_rows = 0;

  /// Whether the bytes are little-endian elements in row-major order.
  bool is_plain() const { return !blocks && paired_rows == 0; }
  bool operator==(const TensorStorage&) const = default;
};

/// A tensor that lives in a mapped weight file; valid for as long as the file object that gave it.
struct TensorView {
  std::string name;
  DType dtype = DType::kF32;
  std::vector<std::int64_t> shape;   ///< row-major, outermost dimension first; [] is one element
  std::span<const std::byte> bytes;  ///< not necessarily aligned; `storage` says what they are
  std::filesystem::path file;
  TensorStorage storage = {};

  /// The number of elements: the product of the shape.
  std::int64_t elements() const;
  /// "DIR/model.safetensors, tensor q_proj.weight", for messages.
  std::string where() const;
};

/// Throws InputError, naming file and tensor, unless the tensor has this shape.
void require_shape(const TensorView& tensor, const std::vector<std::int64_t>& shape);

/// Throws InputError, naming file and tensor, unless to_float can convert the tensor's elements.
void require_weight_dtype(const TensorView& tensor);

/// Elements first, first + 1, … in row-major order as floats, however they are stored; F64 is
/// rounded. The tensor has a dtype of weights. Takes no more memory than a block.
void read_floats(const TensorView& tensor, std::size_t first, std::span<float> out);

/// All elements as floats, in order; F64 is rounded. Throws InputError as require_weight_dtype.
std::vector<float> to_floats(const TensorView& tensor);

/// All elements, little-endian and in row-major order, to `out`, which has just their size.
void read_elements(const TensorView& tensor, std::span<std::byte> out);

/// The same: the file's own bytes where those are it, else made in `buffer`.
std::span<const std::byte> element_bytes(const TensorView& tensor, std::vector<std::byte>& buffer);

/// `tensor NAME` with control characters replaced and long names cut, for messages.
std::string tensor_label(const std::string& name);

}  // namespace regroup::models
