#include "models/files/file_descriptor.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "search/base/error.hpp"

namespace regroup::models {

FileDescriptor::~FileDescriptor() {
  if (is_open()) ::close(descriptor_);
}

FileDescriptor& FileDescriptor::operator=(FileDescriptor&& other) noexcept {
  if (this != &other) {
    if (is_open()) ::close(descriptor_);
    descriptor_ = other.release();
  }
  return *this;
}

int FileDescriptor::release() {
  return std::exchange(descriptor_, -1);
}

std::string errno_text(int error) {
  return std::generic_category().message(error);
}

OpenedFile open_regular_file(const std::filesystem::path& path) {
  // O_NONBLOCK: opening a pipe returns at once and is then refused by its kind.
  FileDescriptor descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!descriptor.is_open()) {
    throw InputError({.what = errno == ENOENT ? "file does not exist" : "file cannot be opened",
                      .where = path.string(),
                      .expected = "a readable file",
                      .found = errno_text(errno)});
  }
  struct stat status {};
  if (::fstat(descriptor.get(), &status) != 0) {
    throw InputError({.what = "file cannot be examined",
                      .where = path.string(),
                      .expected = "",
                      .found = errno_text(errno)});
  }
  if (!S_ISREG(status.st_mode)) {
    throw InputError({.what = "not a regular file",
                      .where = path.string(),
                      .expected = "a regular file",
                      .found = S_ISDIR(status.st_mode) ? "a directory" : "a special file"});
  }
  return {std::move(descriptor), static_cast<std::uint64_t>(status.st_size)};
}

}  // namespace regroup::models
