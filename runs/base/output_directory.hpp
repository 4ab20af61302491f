#pragma once

#include <filesystem>
#include <string_view>

namespace regroup::runs {

/// What to do with an output directory that is not empty.
enum class ExistingFiles { kRefuse, kAccept };

/// Throws InputError unless `directory` can be the output: it is absent below a folder that can be
/// written, or it is a folder that can be written and is empty (or holding files is accepted).
/// `remedy` names the options that accept files ("--force or --resume").
void require_usable_directory(const std::filesystem::path& directory, ExistingFiles existing,
                              std::string_view remedy);

/// Makes the directory and its parents where absent. Throws InputError: where the
/// output goes is the user's choice.
void make_directory(const std::filesystem::path& directory);

/// Makes an output directory that is either filled or as it was before: unless keep() is called,
/// its end removes what was written into it, and the directory where that was absent. Where files
/// stood in it before, everything stays. So what fails midway, on a full disk for instance, can be
/// tried again.
class OutputAttempt {
 public:
  /// Throws InputError as make_directory.
  explicit OutputAttempt(std::filesystem::path directory);
  ~OutputAttempt();
  OutputAttempt(const OutputAttempt&) = delete;
  OutputAttempt& operator=(const OutputAttempt&) = delete;

  void keep() { undoes_ = false; }

 private:
  std::filesystem::path directory_;
  bool was_there_;
  bool undoes_;
};

}  // namespace regroup::runs
