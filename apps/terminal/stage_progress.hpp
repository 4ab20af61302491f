#pragma once

#include <chrono>
#include <cstddef>
#include <string>

namespace regroup::apps {

/// One stage of work and how far it is.
class StageProgress {
 public:
  void begin(std::string stage, std::size_t total, std::string unit);
  void advance(std::size_t steps) { done_ += steps; }

  const std::string& stage() const { return stage_; }
  double fraction() const;
  double seconds() const;
  /// "12.3k tokens/s".
  std::string rate_text() const;
  /// Time that the rest takes at the rate so far, seconds; 0 before anything is done.
  double seconds_left() const;

 private:
  using Clock = std::chrono::steady_clock;

  std::string stage_;
  std::string unit_;
  std::size_t total_ = 0;
  std::size_t done_ = 0;
  Clock::time_point started_;
};

}  // namespace regroup::apps
