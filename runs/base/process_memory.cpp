#include "runs/base/process_memory.hpp"

#include <unistd.h>

#include <algorithm>
#include <fstream>

namespace regroup::runs {

double process_memory() {
  double bytes =
      static_cast<double>(::sysconf(_SC_PHYS_PAGES)) * static_cast<double>(::sysconf(_SC_PAGESIZE));
  // Of control groups as containers see them, version 2 and 1; "max" is no number.
  for (const char* file :
       {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"}) {
    double limit = 0;
    if (std::ifstream(file) >> limit) bytes = std::min(bytes, limit);
  }
  return bytes;
}

}  // namespace regroup::runs
