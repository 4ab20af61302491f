#include "models/tensors/weight_place.hpp"

#include <c10/core/CachingDeviceAllocator.h>
#include <torch/version.h>

#include <algorithm>
#include <limits>

#include "models/tensors/scratch_tensor.hpp"
#include "models/tensors/tensors.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

constexpr std::uint64_t kMostLeftFree = std::uint64_t{16} << 30;

#define REGROUP_KNOWS_DEVICE_MEMORY (TORCH_VERSION_MAJOR > 2 || TORCH_VERSION_MINOR >= 10)

#if REGROUP_KNOWS_DEVICE_MEMORY

DeviceMemory memory_of(const at::Device& device) {
  c10::DeviceAllocator& allocator = *c10::getDeviceAllocator(device.type());
  const auto [free, total] = allocator.getMemoryInfo(device.index());
  const auto stats = allocator.getDeviceStats(device.index());
  constexpr auto kAll = static_cast<std::size_t>(c10::CachingAllocator::StatType::AGGREGATE);
  const auto held = static_cast<std::uint64_t>(stats.allocated_bytes[kAll].current);
  const auto reserved = static_cast<std::uint64_t>(stats.reserved_bytes[kAll].current);
  return {total, free + (reserved - held), held};
}

#else

/// Earlier versions do not tell: all weights go to the device.
DeviceMemory memory_of(const at::Device&) {
  return {.available = std::numeric_limits<std::uint64_t>::max()};
}

#endif

void require_known_memory(const ComputeOptions& options) {
  if (REGROUP_KNOWS_DEVICE_MEMORY || !options.weight_memory) return;
  throw InputError({.what = "this LibTorch does not tell how much of a GPU's memory is taken",
                    .where = "--device-memory",
                    .expected = "a build with LibTorch 2.10 or later",
                    .found = TORCH_VERSION});
}

}  // namespace

bool has_room(const DeviceMemory& memory, std::uint64_t bytes, std::optional<std::uint64_t> limit) {
  if (limit) return memory.held + bytes <= *limit;
  return bytes + std::min(memory.total / 4, kMostLeftFree) <= memory.available;
}

bool keeps_narrow(const ComputeOptions& options) {
  return options.scratch != nullptr && !options.device.cuda;
}

at::Tensor place_weight(const at::Tensor& weight, const ComputeOptions& options) {
  const at::Device device = torch_device(options.device);
  if (keeps_narrow(options) && !weight.requires_grad()) return settled(weight, options);
  const at::ScalarType type = scalar_type(options.dtype);
  const auto bytes = static_cast<std::uint64_t>(weight.numel()) * at::elementSize(type);
  require_known_memory(options);
  // Streamed weights have no gradients.
  if (weight.requires_grad() || device.is_cpu() ||
      has_room(memory_of(device), bytes, options.weight_memory)) {
    return weight.to(device, type);
  }
  return weight.to(type).pin_memory(device);
}

}  // namespace regroup::models
