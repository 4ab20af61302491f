#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <optional>

#include "models/tensors/compute.hpp"

namespace regroup::models {

/// A GPU's memory, in bytes.
struct DeviceMemory {
  std::uint64_t total = 0;
  std::uint64_t available = 0;  ///< for new tensors of this process
  std::uint64_t held = 0;       ///< by tensors of this process
};

/// Whether so many bytes of weights may be put there. With a limit: what is held stays within it.
/// Without one a quarter of the memory, at most 16 GiB, is left to compute in.
bool has_room(const DeviceMemory& memory, std::uint64_t bytes, std::optional<std::uint64_t> limit);

/// Whether weights keep their element type until they are used: on a processor, with a scratch.
bool keeps_narrow(const ComputeOptions& options);

/// A linear map's weight as the computation wants it: on the device while there is room for it, and
/// else in host memory that the device reads directly. Linear brings it over whenever it is used,
/// so that layers of a model that is too large stream through the device. A weight that requires
/// gradients is always on the device. With a scratch it keeps its element type and lies there.
at::Tensor place_weight(const at::Tensor& weight, const ComputeOptions& options);

}  // namespace regroup::models
