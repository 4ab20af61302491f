#include "apps/terminal/lost_input.hpp"

#include <unistd.h>

#include <csignal>
#include <string_view>

namespace regroup::apps {
namespace {

constexpr int kWorkExit = 1;

/// May only do what is safe in a signal handler.
void say_and_end(int) {
  constexpr std::string_view kMessage =
      "regroup: a file that is being read has become shorter, or its disk fails\n";
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, kMessage.data(), kMessage.size());
  _exit(kWorkExit);
}

}  // namespace

void end_on_lost_input() {
  std::signal(SIGBUS, say_and_end);
}

}  // namespace regroup::apps
