#include "models/files/atomic_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "search/base/error.hpp"

namespace regroup::models {
namespace {

constexpr std::size_t kBufferBytes = 1U << 16U;
// Some kernels write at most 2 GiB at a time; smaller pieces also let a signal through.
constexpr std::size_t kMaxWriteBytes = 1U << 28U;

std::filesystem::path partial_path(const std::filesystem::path& final_path,
                                   const std::filesystem::path& temporary_directory) {
  const std::filesystem::path directory =
      temporary_directory.empty() ? final_path.parent_path() : temporary_directory;
  return directory / (final_path.filename().string() + std::string(kPartialSuffix));
}

/// Makes a rename survive a power failure. Not every file system can do it, and the file is
/// complete either way, so failing is not an error.
void sync_directory_of(const std::filesystem::path& path) {
  const std::filesystem::path parent = path.parent_path();
  const FileDescriptor directory(
      ::open(parent.empty() ? "." : parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.is_open()) ::fsync(directory.get());
}

}  // namespace

AtomicFile::AtomicFile(std::filesystem::path final_path,
                       const std::filesystem::path& temporary_directory, Durability durability)
    : final_path_(std::move(final_path)),
      temporary_path_(partial_path(final_path_, temporary_directory)),
      durability_(durability) {
  buffer_.reserve(kBufferBytes);
  // A stale file is unlinked, not truncated: if it is a symbolic link its target stays as it is.
  ::unlink(temporary_path_.c_str());
  descriptor_ = FileDescriptor(
      ::open(temporary_path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
  if (!descriptor_.is_open()) fail("file cannot be created", errno);
  temporary_exists_ = true;
}

AtomicFile::AtomicFile(AtomicFile&& other) noexcept
    : final_path_(std::move(other.final_path_)),
      temporary_path_(std::move(other.temporary_path_)),
      durability_(other.durability_),
      descriptor_(std::move(other.descriptor_)),
      buffer_(std::move(other.buffer_)),
      temporary_exists_(std::exchange(other.temporary_exists_, false)) {}

AtomicFile::~AtomicFile() {
  if (temporary_exists_) ::unlink(temporary_path_.c_str());
}

void AtomicFile::write(std::string_view text) {
  write(std::as_bytes(std::span<const char>(text.data(), text.size())));
}

void AtomicFile::write(std::span<const std::byte> bytes) {
  if (buffer_.size() + bytes.size() > kBufferBytes) flush();
  if (bytes.size() > kBufferBytes) {
    write_through(bytes);
  } else {
    buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
  }
}

void AtomicFile::flush() {
  write_through(buffer_);
  buffer_.clear();
}

void AtomicFile::write_through(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written =
        ::write(descriptor_.get(), bytes.data(), std::min(bytes.size(), kMaxWriteBytes));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail("file cannot be written", errno);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

void AtomicFile::close() {
  flush();
  const bool sync = durability_ == Durability::kPowerFailure;
  if (sync && ::fsync(descriptor_.get()) != 0) fail("file cannot be written to the disk", errno);
  // Network file systems report a full disk only here.
  if (::close(descriptor_.release()) != 0) fail("file cannot be closed", errno);
}

void AtomicFile::commit() {
  if (descriptor_.is_open()) close();
  if (::rename(temporary_path_.c_str(), final_path_.c_str()) != 0) {
    fail("file cannot be given its final name", errno);
  }
  temporary_exists_ = false;
  if (durability_ == Durability::kPowerFailure) sync_directory_of(final_path_);
}

void AtomicFile::fail(const std::string& what, int error) const {
  throw WorkError({.what = what,
                   .where = final_path_.string() + " (as " + temporary_path_.string() + ")",
                   .expected = "",
                   .found = errno_text(error)});
}

void write_file_atomically(const std::filesystem::path& path, std::string_view text,
                           const std::filesystem::path& temporary_directory,
                           Durability durability) {
  AtomicFile file(path, temporary_directory, durability);
  file.write(text);
  file.commit();
}

void remove_stale_partials(const std::filesystem::path& directory) {
  std::error_code error;
  if (!std::filesystem::is_directory(directory, error)) return;
  std::vector<std::filesystem::path> stale;
  for (std::filesystem::directory_iterator entry(directory, error), end; entry != end && !error;
       entry.increment(error)) {
    std::error_code unknown_kind;
    if (entry->is_regular_file(unknown_kind) && entry->path().string().ends_with(kPartialSuffix)) {
      stale.push_back(entry->path());
    }
  }
  for (const auto& path : stale) {
    if (!error) std::filesystem::remove(path, error);
  }
  if (error) {
    throw WorkError({.what = "temporary files of an earlier run cannot be removed",
                     .where = directory.string(),
                     .expected = "",
                     .found = error.message()});
  }
}

}  // namespace regroup::models
