#pragma once

#include <ATen/ATen.h>

#include <memory>

#include "models/elements/tensor_view.hpp"
#include "models/tensors/compute.hpp"

namespace regroup::models {

/// The LibTorch name of an element type that weights can have, or a computation (F64 too).
at::ScalarType scalar_type(DType dtype);

/// The LibTorch name of a device.
at::Device torch_device(const Device& device);

/// A copy of a checkpoint tensor in its own element type, on the CPU.
at::Tensor to_tensor(const TensorView& view);

/// Whether a computation can use the file's own bytes: they are the elements of a tensor, and
/// either have another type, so that they are copied when they are used, or stand where LibTorch
/// puts its own tensors, as the last bits of a product depend on it.
bool can_be_mapped(const TensorView& view, const ComputeOptions& options);
/// That tensor, which must not be written to. `lease` keeps the bytes in place.
at::Tensor mapped_tensor(const TensorView& view, std::shared_ptr<const void> lease);

/// The same tensor as the computation wants it.
at::Tensor to_compute(const at::Tensor& tensor, const ComputeOptions& options);

/// The tensor in float32, or in float64 where it is in that.
at::Tensor at_least_float(const at::Tensor& tensor);

/// Copies a contiguous CPU tensor's elements to `out`, which has just its size.
void copy_bytes(const at::Tensor& tensor, std::span<std::byte> out);

}  // namespace regroup::models
