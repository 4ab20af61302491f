#pragma once

#include <string>

#include "search/base/progress.hpp"

namespace regroup::runs {

/// Where a run says what it does. Not thread-safe but for `progress()`.
class RunLog {
 public:
  virtual ~RunLog() = default;
  /// A remark.
  virtual void log(const std::string& text) const = 0;
  /// A remark for those who asked for more of them.
  virtual void detail(const std::string& text) const = 0;
  virtual search::Progress& progress() const = 0;
};

/// "1 min 20 s", "8.1 s".
std::string duration_text(double seconds);

}  // namespace regroup::runs
