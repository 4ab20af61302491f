#pragma once

#include <optional>
#include <stop_token>
#include <vector>

#include "models/language_model/merger.hpp"
#include "runs/base/run_log.hpp"
#include "runs/directory/run_directory.hpp"
#include "runs/points/grouping_training.hpp"
#include "runs/points/run_points.hpp"

namespace regroup::runs {

/// Whether the order of points before training tells their order after it, over all points.
struct UptrainAgreement {
  double spearman = 0;
  double kendall = 0;
};

/// Trains every point on equally many tokens, with the defaults of `uptrain`, and measures it anew:
/// fills in `uptrained` and `uptrained_delta`. What an earlier run of the same identity measured is
/// recalled, as are merges that `store` has; null: no store. Absent where two points or more do not
/// differ. Throws as Trainer.
std::optional<UptrainAgreement> uptrain_points(std::vector<RunPoint>& points,
                                               const models::Merger& merger,
                                               const models::MergeStore* store,
                                               const UptrainSetting& setting,
                                               const RunDirectory& directory, const RunLog& log,
                                               std::stop_token stop);

}  // namespace regroup::runs
