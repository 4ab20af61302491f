#include "runs/base/run_log.hpp"

#include <fmt/format.h>

namespace regroup::runs {

std::string duration_text(double seconds) {
  constexpr double kMinute = 60;
  if (seconds < kMinute) return fmt::format("{:.1f} s", seconds);
  const auto whole = static_cast<long>(seconds + 0.5);
  return fmt::format("{} min {} s", whole / 60, whole % 60);
}

}  // namespace regroup::runs
