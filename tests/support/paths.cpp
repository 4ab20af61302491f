#include "tests/support/paths.hpp"

namespace regroup::tests {

// The only source that is told where this build lies: every other object is the same in all
// checkouts, so that a compiler cache serves them all.
std::filesystem::path source_folder() {
  return REGROUP_SOURCE_DIR;
}

std::string program_path() {
  return REGROUP_PROGRAM;
}

std::filesystem::path shared_data_folder() {
  return REGROUP_SHARED_DATA;
}

}  // namespace regroup::tests
