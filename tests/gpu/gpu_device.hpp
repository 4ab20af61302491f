#pragma once

#include <optional>

#include "models/tensors/compute.hpp"

namespace regroup::tests {

/// The device that the tests compare with the CPU: the first CUDA device, or what the environment
/// variable REGROUP_TEST_DEVICE names ("cuda:1"; "cpu" tries the tests themselves). Where there is
/// none: nothing, and the line is printed by which ctest counts the running test as skipped.
std::optional<models::Device> gpu_or_skip();

}  // namespace regroup::tests
