#pragma once

#include <filesystem>

#include "runs/directory/run_directory.hpp"
#include "search/evolution/search_state.hpp"

namespace regroup::runs {

/// The state of a search on disk, `state/search-N.cbor`: a line with the SHA-256 of what follows,
/// then CBOR. Every generation writes one and then removes the one before (a new name, because
/// replacing a file makes file systems wait for the disk). Survives a kill. Not thread-safe.
class StateFile : public search::StateStore {
 public:
  /// `directory` must outlive it.
  explicit StateFile(const RunDirectory& directory);

  /// The latest whole state; nothing unless an earlier run of the same identity is gone on from.
  /// Without one the search begins anew, with the same result.
  std::optional<search::SearchState> load() const override;
  void save(const search::SearchState& state) override;

 private:
  const RunDirectory& directory_;
  int number_ = 0;  // of the last file
};

/// Files of search states in a folder, the latest first.
std::vector<std::filesystem::path> state_files(const std::filesystem::path& folder);

}  // namespace regroup::runs
