#pragma once

#include <filesystem>
#include <map>
#include <string>

namespace regroup::tests {

/// The bytes of everything that a run promises to repeat, by path.
std::map<std::string, std::string> promised_bytes(const std::filesystem::path& run);

}  // namespace regroup::tests
