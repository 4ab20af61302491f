#pragma once

#include <span>
#include <stop_token>

#include "models/language_model/candidate_meter.hpp"
#include "runs/base/run_log.hpp"
#include "runs/correlate/grouping_samples.hpp"
#include "runs/points/grouping_training.hpp"

namespace regroup::runs {

/// Measures every sample beside the source, each distinct grouping once, and fills in what the
/// samples say of loss and divergence. Says the expected time first. Returns the source's loss.
/// Throws Interrupted, WorkError.
fitness::LossEstimate measure_samples(std::span<GroupingSample> samples,
                                      const models::CandidateMeter& meter,
                                      const models::MergeRecipe& recipe, const RunLog& log,
                                      std::stop_token stop);

/// Trains every distinct grouping of the whole model and fills in what its samples lose after it.
/// Throws as Trainer.
void uptrain_samples(std::span<GroupingSample> samples, const models::Merger& merger,
                     const models::MergeRecipe& recipe, const UptrainSetting& setting,
                     const RunLog& log, std::stop_token stop);

}  // namespace regroup::runs
