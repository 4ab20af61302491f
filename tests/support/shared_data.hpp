#pragma once

#include <filesystem>
#include <string_view>

namespace regroup::tests {

/// Path of a file or folder of the shared data, whether it exists or not:
/// `shared_data("goldens/llama-mha")`. The root is REGROUP_SHARED_DATA, ../shared/data beside the
/// checkout unless configured otherwise.
std::filesystem::path shared_data(std::string_view relative);

/// True when `relative` exists in the shared data; else prints the line by which ctest counts the
/// running test as skipped. For use through REGROUP_NEEDS_SHARED_DATA.
bool shared_data_or_skip(std::string_view relative);

}  // namespace regroup::tests

/// First statement of a test case that reads shared data: leaves the test case, and marks it as
/// skipped, where the file or folder is absent.
#define REGROUP_NEEDS_SHARED_DATA(relative)                       \
  do {                                                            \
    if (!::regroup::tests::shared_data_or_skip(relative)) return; \
  } while (false)
