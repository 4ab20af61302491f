#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "models/language_model/merger.hpp"
#include "runs/base/run_log.hpp"
#include "runs/directory/run_directory.hpp"
#include "runs/points/run_points.hpp"

namespace regroup::runs {

/// What points are trained on, and measured on afterwards.
struct UptrainSetting {
  std::int64_t tokens = 0;  ///< of each point
  models::Windows data;
  std::string data_sha256;  ///< tells data apart in what was measured before
  models::Windows measured;
  search::RandomKey key;
};

/// Whether the order of points before training tells their order after it, over all points.
struct UptrainAgreement {
  double spearman = 0;
  double kendall = 0;
};

/// Trains every point on equally many tokens, with the defaults of `uptrain`, and measures it anew:
/// fills in `uptrained` and `uptrained_delta`. What an earlier run of the same identity measured is
/// recalled. Absent where two points or more do not differ. Throws as Trainer.
std::optional<UptrainAgreement> uptrain_points(std::vector<RunPoint>& points,
                                               const models::Merger& merger,
                                               const UptrainSetting& setting,
                                               const RunDirectory& directory, const RunLog& log,
                                               std::stop_token stop);

}  // namespace regroup::runs
