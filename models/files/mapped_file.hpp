#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>

namespace regroup::models {

/// A read-only memory map of a regular file.
///
/// The bytes stay at their address when the object is moved, so spans into them stay valid for as
/// long as the map lives. A file that somebody else shortens while it is mapped makes the kernel
/// send SIGBUS on access; writers that replace a file by rename, as AtomicFile does, are safe.
/// Thread-safe for concurrent use of the const members.
class MappedFile {
 public:
  /// Maps the file; an empty file gives an empty span. Throws InputError when it is absent, not
  /// regular, not readable or refused by refuse_stand_in, WorkError when it cannot be mapped.
  explicit MappedFile(std::filesystem::path path);
  MappedFile(MappedFile&&) = default;
  MappedFile& operator=(MappedFile&&) = default;
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  /// The whole file; the length is that at the time of opening.
  std::span<const std::byte> bytes() const { return bytes_; }
  /// Keeps the bytes in place for as long as it lives, also without this object.
  std::shared_ptr<const void> lease() const { return map_; }
  const std::filesystem::path& path() const { return path_; }

  /// Gives the memory behind `part` (a part of bytes(); what lies outside is ignored) back to the
  /// system, so that streaming through a large file stays small. The bytes remain readable: a later
  /// access reads them from the file again.
  void release_pages(std::span<const std::byte> part) const;

 private:
  std::filesystem::path path_;
  std::shared_ptr<const void> map_;  // null of an empty file
  std::span<const std::byte> bytes_;
};

}  // namespace regroup::models
