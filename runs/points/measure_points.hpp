#pragma once

#include <optional>
#include <vector>

#include "fitness/loss_estimate.hpp"
#include "runs/points/point_scores.hpp"
#include "runs/points/run_points.hpp"

namespace regroup::runs {

/// What was measured of the source model.
struct SourceMeasures {
  fitness::LossEstimate loss;
  std::optional<fitness::LossEstimate> accuracy;  ///< where the task has one, share
  std::vector<CacheMeasures> caches = {};         ///< of other types of KV cache
};

/// Measures the source and every point, as PointScores does, and fills in what the points say of
/// loss and source. `key` draws the resamples of the intervals.
SourceMeasures measure_points(std::vector<RunPoint>& points, PointScores& scores,
                              search::RandomKey key);

}  // namespace regroup::runs
