#pragma once

#include <atomic>
#include <stop_token>
#include <thread>

namespace regroup::apps {

/// Turns SIGINT and SIGTERM into a stop request while it lives. Work that does not end by itself
/// soon after is ended: everything under a final name is complete at any moment, so the process may
/// go at once. A second signal ends it immediately. Make it before any other thread is started,
/// which then leaves the signals to it.
class InterruptWatch {
 public:
  InterruptWatch();
  ~InterruptWatch();
  InterruptWatch(const InterruptWatch&) = delete;
  InterruptWatch& operator=(const InterruptWatch&) = delete;

  std::stop_token token() const { return stop_.get_token(); }

 private:
  void watch();

  std::stop_source stop_;
  std::atomic<bool> finished_{false};
  std::thread thread_;
};

/// Exit code of an interrupted program.
inline constexpr int kInterruptedExit = 130;

}  // namespace regroup::apps
