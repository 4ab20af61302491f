#include "models/images/listing.hpp"

#include <algorithm>
#include <system_error>

#include "models/files/sha256.hpp"
#include "search/base/error.hpp"

namespace regroup::models {

Listing list_folder(const std::filesystem::path& folder) {
  Listing listing;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(folder, error), end; entry != end && !error;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (name.starts_with('.')) continue;
    std::error_code unknown_kind;
    const bool is_folder = entry->is_directory(unknown_kind);
    (is_folder ? listing.folders : listing.files).push_back(name);
  }
  if (error) {
    throw InputError({.what = "folder cannot be read",
                      .where = folder.string(),
                      .expected = "",
                      .found = error.message()});
  }
  std::sort(listing.files.begin(), listing.files.end());
  std::sort(listing.folders.begin(), listing.folders.end());
  return listing;
}

std::string sha256_of_files(const std::filesystem::path& folder,
                            const std::vector<std::string>& names) {
  Sha256 hash;
  for (const std::string& name : names) {
    hash.update(sha256_of_file(folder / name) + "  " + name + "\n");
  }
  return hash.hex_digest();
}

}  // namespace regroup::models
