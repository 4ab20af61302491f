#pragma once

#include <filesystem>
#include <map>
#include <mutex>

#include "runs/directory/run_directory.hpp"
#include "search/base/state_store.hpp"

namespace regroup::runs {

/// The progress of a search on disk, `state/search-N.cbor`: a line with the SHA-256 of what
/// follows, then CBOR with every record by its name. Every save writes one and then removes the one
/// before (a new name, because replacing a file makes file systems wait for the disk). Survives a
/// kill. Thread-safe.
class StateFile : public search::StateStore {
 public:
  /// Takes up the latest whole state, if an earlier run of the same identity is gone on from.
  /// Without one the search begins anew, with the same result. `directory` must outlive it.
  explicit StateFile(const RunDirectory& directory);

  std::optional<std::string> load(std::string_view name) const override;
  void save(std::string_view name, std::string record) override;

 private:
  const RunDirectory& directory_;
  mutable std::mutex mutex_;
  std::map<std::string, std::string, std::less<>> records_;
  int number_ = 0;  // of the last file
};

/// Files of search states in a folder, the latest first.
std::vector<std::filesystem::path> state_files(const std::filesystem::path& folder);

}  // namespace regroup::runs
