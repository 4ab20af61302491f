#include "runs/base/output_directory.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <system_error>

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

}  // namespace regroup::runs
