#include "models/training/learning_rate.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace regroup::models {
namespace {

/// Of the full rate, at the end.
constexpr double kLastPart = 0.1;

}  // namespace

double learning_rate(const TrainingOptions& options, std::int64_t step, std::int64_t steps) {
  const auto warmup =
      static_cast<std::int64_t>(std::ceil(options.warmup / 100 * static_cast<double>(steps)));
  if (step < warmup) {
    return options.rate * static_cast<double>(step + 1) / static_cast<double>(warmup);
  }
  const auto rest = static_cast<double>(std::max<std::int64_t>(1, steps - 1 - warmup));
  const double done = std::min(1.0, static_cast<double>(step - warmup) / rest);
  switch (options.schedule) {
    case RateSchedule::kCosine:
      return options.rate *
             (kLastPart + (1 - kLastPart) * 0.5 * (1 + std::cos(std::numbers::pi * done)));
    case RateSchedule::kLinear:
      return options.rate * (1 - (1 - kLastPart) * done);
    default:
      return options.rate;
  }
}

}  // namespace regroup::models
