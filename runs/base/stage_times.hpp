#pragma once

#include <chrono>
#include <map>
#include <string>

namespace regroup::runs {

/// Measures the time of the stages, one after the other.
class StageTimes {
 public:
  void finish(const std::string& stage) {
    const auto now = Clock::now();
    seconds_[stage] = std::chrono::duration<double>(now - last_).count();
    seconds_["total"] = std::chrono::duration<double>(now - started_).count();
    last_ = now;
  }
  const std::map<std::string, double>& seconds() const { return seconds_; }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point started_ = Clock::now();
  Clock::time_point last_ = started_;
  std::map<std::string, double> seconds_;
};

}  // namespace regroup::runs
