#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace regroup::models {

/// Owns a POSIX file descriptor and closes it at the end of its life; -1 means none.
class FileDescriptor {
 public:
  explicit FileDescriptor(int descriptor = -1) : descriptor_(descriptor) {}
  ~FileDescriptor();
  FileDescriptor(FileDescriptor&& other) noexcept : descriptor_(other.release()) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept;
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;

  int get() const { return descriptor_; }
  bool is_open() const { return descriptor_ >= 0; }
  /// Gives the descriptor away; this object then holds none.
  int release();

 private:
  int descriptor_;
};

/// A file opened for reading and its length in bytes at that moment.
struct OpenedFile {
  FileDescriptor descriptor;
  std::uint64_t size = 0;
};

/// Opens a regular file for reading. Throws InputError when it is absent, a directory, some other
/// kind of file (a pipe would block) or not readable.
OpenedFile open_regular_file(const std::filesystem::path& path);

/// The system's words for an errno value: 28 → "No space left on device".
std::string errno_text(int error);

}  // namespace regroup::models
