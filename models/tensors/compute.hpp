#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "models/elements/dtype.hpp"

namespace regroup::models {

class Scratch;

/// Where a model is computed.
struct Device {
  bool cuda = false;
  int index = 0;  ///< of the CUDA device

  bool operator==(const Device&) const = default;
  std::string to_string() const;
};

/// Reads "cpu", "cuda" or "cuda:1". Throws InputError for another text and for a device that this
/// machine or this build does not have.
Device parse_device(std::string_view text);

/// The element type and the place of a computation; independent of the checkpoint's own dtype.
struct ComputeOptions {
  DType dtype = DType::kF32;  ///< kF32 or kBF16; kF64 to check gradients
  Device device;
  /// Of a GPU: bytes up to which weights of layers are put there, those of other tensors counted;
  /// further weights stay in host memory. Absent: what is free, less room to compute in.
  std::optional<std::uint64_t> weight_memory = {};
  /// Where what grows with the depth of a model is kept: its weights then stay in the checkpoint's
  /// file, layers are in memory while they are at work, and all else that is large lies here.
  /// Results are the same, to the bit. Null: in memory.
  std::shared_ptr<const Scratch> scratch = {};

  /// The same computation with all that it keeps in memory.
  ComputeOptions in_memory() const {
    ComputeOptions options = *this;
    options.scratch = nullptr;
    return options;
  }
};

/// Makes every LibTorch operation serial. Evaluation runs one operation on one thread and spreads
/// windows over threads instead, so that results do not depend on their number. Call once, early.
void use_one_thread_per_operation();

}  // namespace regroup::models
