#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace regroup::models {

/// Names of what stands in a folder, each list ascending by bytes; hidden names, which begin with a
/// dot, are left out.
struct Listing {
  std::vector<std::string> files;  ///< whatever is no folder
  std::vector<std::string> folders;
};

/// Lists a folder; links count as what they lead to. Throws InputError when it cannot be read.
Listing list_folder(const std::filesystem::path& folder);

/// SHA-256, hexadecimal, of the lines that `sha256sum` prints for the files in a folder: digest,
/// two blanks, the name as given, a line feed. Throws InputError when a file cannot be read.
std::string sha256_of_files(const std::filesystem::path& folder,
                            const std::vector<std::string>& names);

}  // namespace regroup::models
