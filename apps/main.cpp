#include <cstdlib>

#include "apps/command_line.hpp"

namespace {

/// OpenMP's threads wait for the next batch by spinning, which slows a busy machine down many times
/// over; asleep they cost next to nothing. The runtime reads the variable while libraries are
/// loaded, hence before main; what the user has set stays.
void let_waiting_threads_sleep() {
  setenv("OMP_WAIT_POLICY", "passive", 0);
}

[[gnu::section(".preinit_array"),
  gnu::used]] void (*const before_libraries)() = let_waiting_threads_sleep;

}  // namespace

int main(int argc, char** argv) {
  return regroup::apps::run_command_line(argc, argv);
}
