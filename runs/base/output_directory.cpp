#include "runs/base/output_directory.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <system_error>
#include <utility>
#include <vector>

#include "search/base/error.hpp"

namespace regroup::runs {
namespace {

namespace fs = std::filesystem;

/// The nearest part of the path that exists.
fs::path nearest_existing(fs::path path) {
  path = fs::absolute(path).lexically_normal();
  std::error_code ignored;
  while (!fs::exists(path, ignored) && path.has_relative_path()) path = path.parent_path();
  return path;
}

void require_writable(const fs::path& directory) {
  const fs::path existing = nearest_existing(directory);
  if (fs::is_directory(existing) && access(existing.c_str(), W_OK | X_OK) == 0) return;
  throw InputError({.what = "output directory cannot be written",
                    .where = directory.string(),
                    .expected = "a folder that can be written",
                    .found = existing.string()});
}

}  // namespace

void require_usable_directory(const fs::path& directory, ExistingFiles existing,
                              std::string_view remedy) {
  if (directory.empty()) throw InputError({.what = "no output directory is given"});
  require_writable(directory);
  std::error_code error;
  if (existing == ExistingFiles::kAccept || !fs::is_directory(directory, error)) return;
  if (fs::is_empty(directory, error) && !error) return;
  throw InputError({.what = "output directory is not empty",
                    .where = directory.string(),
                    .expected = fmt::format("an empty or new directory, or {}", remedy)});
}

void make_directory(const fs::path& directory) {
  std::error_code error;
  fs::create_directories(directory, error);
  if (error) {
    throw InputError({.what = "output directory cannot be made",
                      .where = directory.string(),
                      .found = error.message()});
  }
}

OutputAttempt::OutputAttempt(fs::path directory)
    : directory_(std::move(directory)), was_there_(fs::is_directory(directory_)) {
  undoes_ = !was_there_ || fs::is_empty(directory_);
  make_directory(directory_);
}

OutputAttempt::~OutputAttempt() {
  if (!undoes_) return;
  std::error_code ignored;
  std::vector<fs::path> written;
  for (fs::directory_iterator entry(directory_, ignored), end; !ignored && entry != end;
       entry.increment(ignored)) {
    written.push_back(entry->path());
  }
  for (const fs::path& path : written) fs::remove_all(path, ignored);
  if (!was_there_) fs::remove(directory_, ignored);
}

}  // namespace regroup::runs
