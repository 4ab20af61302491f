#include "tests/support/shared_data.hpp"

#include <iostream>

#include "tests/support/paths.hpp"

namespace regroup::tests {

std::filesystem::path shared_data(std::string_view relative) {
  return shared_data_folder() / relative;
}

bool shared_data_or_skip(std::string_view relative) {
  const std::filesystem::path path = shared_data(relative);
  if (std::filesystem::exists(path)) return true;
  // tests/CMakeLists.txt tells ctest to look for the first word.
  std::cout << "REGROUP_TEST_SKIPPED: needs " << path.string() << std::endl;
  return false;
}

}  // namespace regroup::tests
