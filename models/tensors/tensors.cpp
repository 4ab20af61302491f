#include "models/tensors/tensors.hpp"

#include <cstdint>
#include <cstring>
#include <utility>

#include "search/base/error.hpp"

namespace regroup::models {

at::ScalarType scalar_type(DType dtype) {
  switch (dtype) {
    case DType::kF32:
      return at::kFloat;
    case DType::kF16:
      return at::kHalf;
    case DType::kBF16:
      return at::kBFloat16;
    case DType::kF64:
      return at::kDouble;
    default:
      throw InputError({.what = "element type is not one of weights",
                        .expected = "F32, F16, BF16 or F64",
                        .found = std::string(safetensors_name(dtype))});
  }
}

at::Device torch_device(const Device& device) {
  if (!device.cuda) return at::kCPU;
  return {at::kCUDA, static_cast<c10::DeviceIndex>(device.index)};
}

at::Tensor to_tensor(const TensorView& view) {
  at::Tensor tensor = at::empty(view.shape, scalar_type(view.dtype));
  // The file may hold the elements at any alignment, hence a copy and no view.
  read_elements(view, {static_cast<std::byte*>(tensor.data_ptr()), tensor.nbytes()});
  return tensor;
}

bool can_be_mapped(const TensorView& view, const ComputeOptions& options) {
  constexpr std::size_t kAlignment = 64;
  const auto address = reinterpret_cast<std::uintptr_t>(view.bytes.data());
  const bool is_copied = view.dtype != options.dtype;
  const std::size_t alignment = is_copied ? byte_width(view.dtype) : kAlignment;
  return view.storage.is_plain() && address % alignment == 0;
}

at::Tensor mapped_tensor(const TensorView& view, std::shared_ptr<const void> lease) {
  return at::from_blob(
      const_cast<std::byte*>(view.bytes.data()), view.shape, [lease = std::move(lease)](void*) {},
      at::TensorOptions(scalar_type(view.dtype)));
}

at::Tensor to_compute(const at::Tensor& tensor, const ComputeOptions& options) {
  return tensor.to(torch_device(options.device), scalar_type(options.dtype));
}

at::Tensor at_least_float(const at::Tensor& tensor) {
  return tensor.scalar_type() == at::kDouble ? tensor : tensor.to(at::kFloat);
}

void copy_bytes(const at::Tensor& tensor, std::span<std::byte> out) {
  if (!tensor.is_contiguous() || tensor.nbytes() != out.size()) {
    throw WorkError({.what = "tensor does not fill its place in the file",
                     .expected = std::to_string(out.size()) + " bytes",
                     .found = std::to_string(tensor.nbytes()) + " bytes"});
  }
  if (!out.empty()) std::memcpy(out.data(), tensor.data_ptr(), out.size());
}

}  // namespace regroup::models
