#include "models/elements/tensor_view.hpp"

#include <functional>
#include <numeric>

#include "models/elements/conversion.hpp"
#include "models/files/printable.hpp"
#include "search/base/error.hpp"

namespace regroup::models {

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

std::vector<float> to_floats(const TensorView& tensor) {
  require_weight_dtype(tensor);
  std::vector<float> values(static_cast<std::size_t>(tensor.elements()));
  to_float(tensor.dtype, tensor.bytes, values);
  return values;
}

}  // namespace regroup::models
