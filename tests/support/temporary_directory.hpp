#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace regroup::tests {

/// A fresh directory below the system's temporary one, removed with all it holds at the end.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  const std::filesystem::path& path() const { return path_; }
  /// Writes a file, making the folders in its name, and returns its path.
  std::filesystem::path write(std::string_view name, std::string_view content) const;
  /// The names of what stands directly in the directory, ascending.
  std::vector<std::string> entries() const;

 private:
  std::filesystem::path path_;
};

/// The whole of a file; throws std::runtime_error when it cannot be read.
std::string read_file(const std::filesystem::path& path);

}  // namespace regroup::tests
