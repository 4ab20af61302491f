// What a signal does to a process at work.

#include "apps/terminal/interrupt.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <functional>

#include "tests/support/catch.hpp"

using regroup::apps::InterruptWatch;
using regroup::apps::kInterruptedExit;

namespace {

/// Ends a test whose process does not end by itself.
constexpr unsigned kTooLong = 60;  // seconds

/// The exit code of a process that works under a watch; −1 if it does not end by itself. The work
/// gets the watch's token and gives an exit code.
int exit_code_of(const std::function<int(const std::stop_token&)>& work) {
  const pid_t process = fork();
  REQUIRE(process >= 0);
  if (process == 0) {
    alarm(kTooLong);
    const InterruptWatch watch;
    _exit(work(watch.token()));
  }
  int status = 0;
  REQUIRE(waitpid(process, &status, 0) == process);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void wait_for_ever() {
  while (true) pause();
}

}  // namespace

TEST_CASE("SIGINT and SIGTERM ask work to stop and leave it the end") {
  for (const int signal : {SIGINT, SIGTERM}) {
    CHECK(exit_code_of([&](const std::stop_token& token) {
            if (token.stop_requested()) return 1;
            kill(getpid(), signal);
            while (!token.stop_requested()) usleep(1000);
            return 7;
          }) == 7);
  }
}

TEST_CASE("work that does not stop when asked to is ended") {
  CHECK(exit_code_of([](const std::stop_token&) {
          kill(getpid(), SIGINT);
          wait_for_ever();
          return 0;
        }) == kInterruptedExit);
}
