#pragma once

#include <cstdint>

#include "runs/plan/search_plan.hpp"
#include "search/base/random.hpp"

namespace regroup::apps {

/// The key that all draws of a run come from.
inline search::RandomKey run_key(const runs::SearchPlan& plan) {
  return search::RandomKey(plan.seed);
}

// Its children, by what they draw.
inline constexpr std::uint64_t kMethodKey = 1;
inline constexpr std::uint64_t kBaselineKey = 2;
inline constexpr std::uint64_t kEvalTextKey = 3;
inline constexpr std::uint64_t kCalibrationTextKey = 4;
inline constexpr std::uint64_t kSelectionTextKey = 5;
inline constexpr std::uint64_t kLabelKey = 6;
inline constexpr std::uint64_t kPaperKey = 7;
inline constexpr std::uint64_t kBootstrapKey = 8;
inline constexpr std::uint64_t kUptrainKey = 9;

}  // namespace regroup::apps
