#include "tests/gpu/gpu_device.hpp"

#include <cstdlib>
#include <iostream>

#include "search/base/error.hpp"

namespace regroup::tests {

std::optional<models::Device> gpu_or_skip() {
  const char* named = std::getenv("REGROUP_TEST_DEVICE");
  try {
    return models::parse_device(named != nullptr ? named : "cuda");
  } catch (const InputError&) {
    // A device asked for by name must be there.
    if (named != nullptr) throw;
    // tests/CMakeLists.txt tells ctest to look for the first word.
    std::cout << "REGROUP_TEST_SKIPPED: needs a CUDA device" << std::endl;
    return std::nullopt;
  }
}

}  // namespace regroup::tests
