#pragma once

#include <memory>
#include <string>

#include "runs/base/run_log.hpp"

namespace regroup::apps {

/// How much the program says on stderr.
enum class Verbosity { kQuiet, kNormal, kVerbose };

/// Where a command talks to its user: results on stdout, everything else on stderr. Not
/// thread-safe but for `progress()`.
class Console : public runs::RunLog {
 public:
  explicit Console(Verbosity verbosity);

  /// A result, with a line break after it.
  void print(const std::string& text) const;
  /// A part of a result as it comes, without a line break.
  void write(const std::string& text) const;
  /// A remark, unless quiet.
  void log(const std::string& text) const override;
  /// A remark that only a verbose run shows.
  void detail(const std::string& text) const override;
  /// Bars on a terminal, a line at each stage's end otherwise, nothing when quiet.
  search::Progress& progress() const override { return *progress_; }

 private:
  Verbosity verbosity_;
  std::unique_ptr<search::Progress> progress_;
};

}  // namespace regroup::apps
