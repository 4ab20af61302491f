#pragma once

#include <span>
#include <stop_token>

#include "apps/correlate/grouping_samples.hpp"
#include "apps/terminal/console.hpp"
#include "models/language_model/candidate_meter.hpp"

namespace regroup::apps {

/// Measures every sample beside the source, each distinct grouping once, and fills in what the
/// samples say of loss and divergence. Says the expected time first. Returns the source's loss.
/// Throws Interrupted, WorkError.
fitness::LossEstimate measure_samples(std::span<GroupingSample> samples,
                                      const models::CandidateMeter& meter,
                                      const models::MergeRecipe& recipe, const Console& console,
                                      std::stop_token stop);

}  // namespace regroup::apps
