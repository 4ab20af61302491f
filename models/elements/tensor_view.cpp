#include "models/elements/tensor_view.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <numeric>

#include "models/elements/conversion.hpp"
#include "models/files/printable.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

/// Elements that are made at a time.
constexpr std::size_t kMadeElements = 1 << 16;

/// The type with the most elements in a block has so many.
constexpr std::size_t kLongestBlock = 256;

/// Elements first, first + 1, … of those in blocks.
void read_from_blocks(const TensorView& tensor, std::size_t first, std::span<float> out) {
  const GgmlType type = *tensor.storage.blocks;
  const auto size = static_cast<std::size_t>(block_of(type).elements);
  const auto bytes = static_cast<std::size_t>(block_of(type).bytes);
  std::array<float, kLongestBlock> part;
  while (!out.empty()) {
    const auto from = tensor.bytes.subspan(first / size * bytes);
    const std::size_t skipped = first % size;
    std::size_t taken = out.size() / size * size;
    if (skipped == 0 && taken > 0) {
      read_blocks(type, from, out.first(taken));
    } else {
      taken = std::min(size - skipped, out.size());
      read_blocks(type, from, std::span(part).first(size));
      std::copy_n(part.begin() + static_cast<std::ptrdiff_t>(skipped), taken, out.begin());
    }
    first += taken;
    out = out.subspan(taken);
  }
}

/// Elements in the order in which they are stored.
void read_stored(const TensorView& tensor, std::size_t first, std::span<float> out) {
  if (tensor.storage.blocks) return read_from_blocks(tensor, first, out);
  const std::size_t width = byte_width(tensor.dtype);
  to_float(tensor.dtype, tensor.bytes.subspan(first * width, out.size() * width), out);
}

/// Where a row of a tensor is stored.
std::size_t stored_row(const TensorView& tensor, std::size_t row) {
  const auto height = static_cast<std::size_t>(tensor.storage.paired_rows);
  const std::size_t half = height / 2;
  const std::size_t at = row % height;
  return row - at + (at < half ? 2 * at : 2 * (at - half) + 1);
}

}  // namespace

std::int64_t TensorView::elements() const {
  return std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
}

std::string TensorView::where() const {
  return file.string() + ", " + tensor_label(name);
}

std::string tensor_label(const std::string& name) {
  return "tensor " + printable(name);
}

void require_shape(const TensorView& tensor, const std::vector<std::int64_t>& shape) {
  if (tensor.shape == shape) return;
  throw InputError({.what = "tensor has the wrong shape",
                    .where = tensor.where(),
                    .expected = shape_text(shape),
                    .found = shape_text(tensor.shape)});
}

void require_weight_dtype(const TensorView& tensor) {
  if (is_weight_dtype(tensor.dtype)) return;
  throw InputError({.what = "tensor has the wrong element type",
                    .where = tensor.where(),
                    .expected = "F32, BF16, F16 or F64",
                    .found = std::string(safetensors_name(tensor.dtype))});
}

void read_floats(const TensorView& tensor, std::size_t first, std::span<float> out) {
  if (tensor.storage.paired_rows == 0) return read_stored(tensor, first, out);
  const std::size_t columns =
      static_cast<std::size_t>(tensor.elements()) / static_cast<std::size_t>(tensor.shape[0]);
  while (!out.empty()) {
    const std::size_t column = first % columns;
    const std::size_t taken = std::min(columns - column, out.size());
    read_stored(tensor, stored_row(tensor, first / columns) * columns + column, out.first(taken));
    first += taken;
    out = out.subspan(taken);
  }
}

std::vector<float> to_floats(const TensorView& tensor) {
  require_weight_dtype(tensor);
  std::vector<float> values(static_cast<std::size_t>(tensor.elements()));
  read_floats(tensor, 0, values);
  return values;
}

void read_elements(const TensorView& tensor, std::span<std::byte> out) {
  if (tensor.storage.is_plain()) {
    std::ranges::copy(tensor.bytes, out.begin());
    return;
  }
  const std::size_t width = byte_width(tensor.dtype);
  const std::size_t count = out.size() / width;
  std::vector<float> values;
  for (std::size_t first = 0; first < count; first += kMadeElements) {
    values.resize(std::min(kMadeElements, count - first));
    read_floats(tensor, first, values);
    from_float(tensor.dtype, values, out.subspan(first * width, values.size() * width));
  }
}

std::span<const std::byte> element_bytes(const TensorView& tensor, std::vector<std::byte>& buffer) {
  if (tensor.storage.is_plain()) return tensor.bytes;
  buffer.resize(tensor_bytes(tensor.dtype, tensor.shape).value());
  read_elements(tensor, buffer);
  return buffer;
}

}  // namespace regroup::models
