#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "models/files/file_descriptor.hpp"
#include "models/inputs/window_score.hpp"

namespace regroup::runs {

/// The files of one kind of run, but for what stands in `state/measured` and the grouping files
/// that it announces.
struct RunFiles {
  std::string_view last;  ///< written last: a directory that has it is finished
  std::vector<std::string_view> others;
  std::vector<std::string_view> folders;
};
/// Those of a search and of a training.
const RunFiles& search_files();
const RunFiles& training_files();

/// The output directory of a search or a training. Files get their final name only when complete;
/// temporary files and what a resumed run needs live in `state/`. Not thread-safe.
class RunDirectory {
 public:
  /// How a run takes up a directory that holds files.
  enum class Existing { kRefuse, kReplace, kResume };

  /// Checks that the directory can be used, without changing anything: throws InputError if it
  /// holds files and `existing` is kRefuse, cannot be written, or, resuming, if it belongs to a run
  /// with another `identity` (the first difference is named).
  RunDirectory(std::filesystem::path directory, Existing existing, nlohmann::ordered_json identity,
               const RunFiles& files = search_files());

  /// True if an earlier run of the same identity is gone on from.
  bool continues() const { return continues_; }
  /// True if the run to be resumed has finished already.
  bool is_finished() const;
  /// Makes the directory; clears what an earlier run wrote if it is to be replaced, and stale
  /// temporary files; records the identity. Files that no run wrote stay. From then on no other
  /// process can begin here, until this object or the process ends. Throws InputError if the
  /// directory cannot be made or another process is at work in it, WorkError.
  void begin();

  const std::filesystem::path& path() const { return directory_; }
  std::filesystem::path state_folder() const { return directory_ / "state"; }
  /// Writes a file of the run, by its path inside the directory. Throws WorkError.
  void write(const std::filesystem::path& name, std::string_view text) const;

  /// Records the grouping files that the run is about to write, so that a later run that replaces
  /// this one finds them even if this one is broken off. Throws WorkError.
  void announce_groupings(const std::vector<std::string>& names) const;

  /// Per-window losses measured before under this key, if any; a file that does not hold `windows`
  /// finite numbers counts as none.
  std::optional<std::vector<double>> recall(const std::string& key, std::size_t windows) const;
  /// Keeps losses for a run that resumes this one. Throws WorkError.
  void remember(const std::string& key, const std::vector<double>& losses) const;

  /// The same for scores beside the source, under other keys.
  std::optional<std::vector<models::WindowScore>> recall_scores(const std::string& key,
                                                                std::size_t windows) const;
  void remember_scores(const std::string& key,
                       const std::vector<models::WindowScore>& scores) const;

 private:
  std::filesystem::path state(std::string_view name) const { return state_folder() / name; }
  void require_same_identity() const;
  void remove_earlier_run() const;
  void lock_state();

  std::filesystem::path directory_;
  Existing existing_;
  nlohmann::ordered_json identity_;
  const RunFiles& files_;
  bool continues_;
  models::FileDescriptor lock_;  ///< of the state folder, while the run works
};

}  // namespace regroup::runs
