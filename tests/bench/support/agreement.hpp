#pragma once

#include <stdexcept>

namespace regroup::bench {

/// What a benchmark times is right, or the program ends: throws if `agrees` is false.
inline void require(bool agrees, const char* what) {
  if (!agrees) throw std::runtime_error(what);
}

}  // namespace regroup::bench
