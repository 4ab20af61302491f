#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>

namespace regroup::models {

/// Memory that lies in files without a name: the system writes it to the disk and reads it back as
/// it needs, so that it takes room on the disk in place of main memory. The files are gone with the
/// process, however it ends. Thread-safe.
class Scratch {
 public:
  /// What is smaller is not worth a place in a file.
  static constexpr std::size_t kSmallest = std::size_t{1} << 14;

  /// Files of `directory`, which must be there, for what has at least `smallest` bytes. Throws
  /// InputError where no file can be made in it.
  explicit Scratch(std::filesystem::path directory, std::size_t smallest = kSmallest);
  ~Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  /// So many bytes of zeros, aligned for any element type; they may outlive the Scratch. The room
  /// on the disk is taken at once: throws WorkError, with the directory, where there is none left.
  std::shared_ptr<std::byte> allocate(std::size_t bytes) const;
  /// Whether the address lies in memory that was allocated here and is still used.
  bool holds(const void* address) const;

  const std::filesystem::path& directory() const { return directory_; }
  std::size_t smallest() const { return smallest_; }

 private:
  class Blocks;
  struct Block;

  std::filesystem::path directory_;
  std::size_t smallest_;
  std::shared_ptr<Blocks> blocks_;
};

}  // namespace regroup::models
