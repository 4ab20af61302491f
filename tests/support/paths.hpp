#pragma once

#include <filesystem>
#include <string>

namespace regroup::tests {

/// The folder of the sources: `source_folder() / "examples/demo-llama"`.
std::filesystem::path source_folder();

/// The built program, for tests that start it.
std::string program_path();

/// The folder of the shared data; tests ask for a file in it by shared_data().
std::filesystem::path shared_data_folder();

}  // namespace regroup::tests
