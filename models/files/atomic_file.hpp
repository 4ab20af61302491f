#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "models/files/file_descriptor.hpp"

namespace regroup::models {

/// Ending of the temporary name under which a file is written.
inline constexpr std::string_view kPartialSuffix = ".partial";

/// What a file's final name promises.
enum class Durability {
  kPowerFailure,  ///< the file is on the disk: it survives a failure of the machine
  kProcess,       ///< it survives the end of the process, however sudden; a hundred times faster
};

/// Writes a file under a temporary name and gives it its final name only when it is complete, so
/// that nothing half-written ever stands under the final name.
///
/// The temporary name is the final name plus ".partial"; one left behind by a killed process is
/// replaced. At most one AtomicFile at a time may write a given name in a given temporary
/// directory. Exceeding the process's file size limit is reported as an error only where SIGXFSZ is
/// ignored; by default that signal ends the process. Not thread-safe.
class AtomicFile {
 public:
  /// Creates the temporary file, beside the final one or in `temporary_directory`, which must exist
  /// and be on the same file system. Throws WorkError.
  explicit AtomicFile(std::filesystem::path final_path,
                      const std::filesystem::path& temporary_directory = {},
                      Durability durability = Durability::kPowerFailure);
  /// Removes the temporary file unless the file was committed.
  ~AtomicFile();
  AtomicFile(AtomicFile&& other) noexcept;
  AtomicFile& operator=(AtomicFile&&) = delete;
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  /// Appends; the bytes may stay in a buffer until commit(). Throws WorkError (full disk, …).
  void write(std::string_view text);
  void write(std::span<const std::byte> bytes);

  /// Flushes everything, as durably as asked for, and closes the temporary file, which keeps its
  /// temporary name. For several files that must appear together: close all, then commit all.
  /// Throws WorkError.
  void close();

  /// Closes the file if that has not been done and renames it to its final name, replacing what
  /// stood there. Throws WorkError; the temporary file is then removed by the destructor.
  void commit();

  const std::filesystem::path& final_path() const { return final_path_; }
  const std::filesystem::path& temporary_path() const { return temporary_path_; }

 private:
  void flush();
  void write_through(std::span<const std::byte> bytes);
  [[noreturn]] void fail(const std::string& what, int error) const;

  std::filesystem::path final_path_;
  std::filesystem::path temporary_path_;
  Durability durability_;
  FileDescriptor descriptor_;
  std::vector<std::byte> buffer_;
  bool temporary_exists_ = false;
};

/// Writes a whole file by way of AtomicFile. Throws WorkError.
void write_file_atomically(const std::filesystem::path& path, std::string_view text,
                           const std::filesystem::path& temporary_directory = {},
                           Durability durability = Durability::kPowerFailure);

/// Removes the regular files in `directory` (not below it) whose names end in ".partial"; a
/// directory that does not exist holds none. Throws WorkError when one cannot be removed.
void remove_stale_partials(const std::filesystem::path& directory);

}  // namespace regroup::models
