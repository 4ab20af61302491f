#pragma once

#include <sys/resource.h>

#include <csignal>
#include <stdexcept>

namespace regroup::tests {

/// Stands in for a full disk: as long as it lives, writing past `bytes` in any file fails.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : old_handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    if (::getrlimit(RLIMIT_FSIZE, &old_) != 0) throw std::runtime_error("no file size limits");
    set({.rlim_cur = bytes, .rlim_max = old_.rlim_max});
  }
  ~FileSizeLimit() {
    set(old_);
    std::signal(SIGXFSZ, old_handler_);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  static void set(const rlimit& limit) { ::setrlimit(RLIMIT_FSIZE, &limit); }

  void (*old_handler_)(int);
  rlimit old_{};
};

}  // namespace regroup::tests
