#pragma once

#include <optional>
#include <vector>

#include "runs/directory/kept_weights.hpp"
#include "runs/points/run_points.hpp"

namespace regroup::runs {

/// Whether the fitted weights of a run's points are kept.
struct KeepingPlan {
  bool keeps = false;
  double bytes = 0;  ///< that all of them take
};

/// Lets `kept` keep the points of the search whose layers are fitted: where that was asked for
/// (`wanted`), and where nothing was said and all take kMostKeptBytes at most.
KeepingPlan keep_fitted(const std::vector<RunPoint>& points, KeptWeights& kept,
                        const models::PretrainedModel& model, std::optional<bool> wanted);

inline constexpr double kMostKeptBytes = 1024.0 * 1024 * 1024;

}  // namespace regroup::runs
