#pragma once

#include <chrono>

namespace regroup::search {

/// Measures how long a stage has taken, over all the runs that worked on it, against a limit.
class StageDeadline {
 public:
  /// `spent`: seconds of earlier runs; `limit` in seconds, 0: none.
  StageDeadline(double spent, double limit) : spent_(spent), limit_(limit) {}

  double seconds() const {
    return spent_ + std::chrono::duration<double>(Clock::now() - started_).count();
  }
  bool is_over() const { return limit_ > 0 && seconds() >= limit_; }

 private:
  using Clock = std::chrono::steady_clock;
  double spent_;
  double limit_;
  Clock::time_point started_ = Clock::now();
};

}  // namespace regroup::search
