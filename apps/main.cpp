#include <cstdio>
#include <cstdlib>
#include <iostream>

#include "apps/command_line.hpp"
#include "runs/ranks/ranks.hpp"

namespace {

/// OpenMP's threads wait for the next batch by spinning, which slows a busy machine down many times
/// over; asleep they cost next to nothing. Attention maps of long windows are large and
/// short-lived; in pages of 4 KB a third of the time goes into being given them. OpenMP's runtime
/// reads its variable while libraries are loaded, hence before main; what the user has set stays.
void set_up_libraries() {
  setenv("OMP_WAIT_POLICY", "passive", 0);
  setenv("THP_MEM_ALLOC_ENABLE", "1", 0);
}

[[gnu::section(".preinit_array"), gnu::used]] void (*const before_libraries)() = set_up_libraries;

/// Ends the program. LibTorch would take its thousands of operators back one by one, a third of the
/// time of a short command; a build for development lets it, as sanitizers and coverage need.
[[noreturn]] void leave(int status) {
#ifdef NDEBUG
  std::cout.flush();
  std::fflush(nullptr);
  std::_Exit(status);
#else
  std::exit(status);
#endif
}

}  // namespace

int main(int argc, char** argv) {
  int status = 0;
  {
    const regroup::runs::Ranks ranks(argc, argv);
    status = regroup::apps::run_command_line(argc, argv);
  }
  leave(status);
}
