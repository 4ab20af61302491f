#pragma once

#include <string>
#include <vector>

#include <sys/types.h>

namespace regroup::tests {

/// How a program ended by itself or was ended, and what it wrote.
struct ProgramEnd {
  bool was_ended = false;  ///< by a signal that it did not handle
  int code = 0;            ///< the exit code, else the signal
  std::string output;
  std::string error;
};

/// The built program at work beside the test, with the default action for every signal. Writes to
/// standard error less than a pipe holds. Not thread-safe.
class StartedProgram {
 public:
  explicit StartedProgram(std::vector<std::string> arguments);
  StartedProgram(const StartedProgram&) = delete;
  StartedProgram& operator=(const StartedProgram&) = delete;
  ~StartedProgram();

  /// Its standard output: readable when it has written, hung up when it has ended.
  int output() const { return output_; }
  /// Waits until it has written something to its standard output; false if it ends without.
  bool waits_for_output() const;
  void send(int signal) const;
  /// Waits for the end.
  ProgramEnd end();

 private:
  pid_t pid_ = 0;  // 0 once it has been waited for
  int output_ = -1;
  int error_ = -1;
};

/// Counts what happens to the files of some folders: made, written, renamed or removed.
class FileEvents {
 public:
  /// The folders must be there; what is below them does not count.
  explicit FileEvents(const std::vector<std::string>& folders);
  FileEvents(const FileEvents&) = delete;
  FileEvents& operator=(const FileEvents&) = delete;
  ~FileEvents();

  /// Waits for `events` of them; false if the program ends before.
  bool happen(std::size_t events, const StartedProgram& program);
  /// Those that have happened, counted or not yet.
  std::size_t all_so_far();

 private:
  void count();

  int watch_;
  std::size_t counted_ = 0;
};

}  // namespace regroup::tests
