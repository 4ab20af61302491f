#include "apps/terminal/interrupt.hpp"

#include <csignal>
#include <ctime>

#include <pthread.h>
#include <unistd.h>

namespace regroup::apps {
namespace {

constexpr timespec kPoll = {0, 50'000'000};
/// Polls for which the work may take to notice the request: with them the whole stays below a
/// second.
constexpr int kGracePolls = 16;

sigset_t stop_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  return signals;
}

}  // namespace

InterruptWatch::InterruptWatch() {
  const sigset_t signals = stop_signals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  thread_ = std::thread([this] { watch(); });
}

InterruptWatch::~InterruptWatch() {
  finished_ = true;
  thread_.join();
}

void InterruptWatch::watch() {
  const sigset_t signals = stop_signals();
  while (!finished_) {
    if (sigtimedwait(&signals, nullptr, &kPoll) < 0) continue;
    stop_.request_stop();
    for (int poll = 0; poll < kGracePolls && !finished_; ++poll) {
      if (sigtimedwait(&signals, nullptr, &kPoll) >= 0) _exit(kInterruptedExit);
    }
    if (!finished_) _exit(kInterruptedExit);
  }
}

}  // namespace regroup::apps
