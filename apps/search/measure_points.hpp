#pragma once

#include <optional>
#include <stop_token>
#include <vector>

#include "apps/search/run_directory.hpp"
#include "apps/search/run_points.hpp"
#include "apps/terminal/console.hpp"
#include "fitness/loss_estimate.hpp"
#include "models/converter.hpp"

namespace regroup::apps {

/// What was measured of the source model.
struct SourceMeasures {
  fitness::LossEstimate loss;
  std::optional<fitness::LossEstimate> accuracy;  ///< where the task has one, share
};

/// Measures the source and every point on `windows`, each distinct grouping once, and fills in what
/// the points say of loss and source. What the run directory remembers is not measured again; each
/// new measurement is remembered at once. Says the expected time first. `key` draws the resamples
/// of the intervals.
SourceMeasures measure_points(std::vector<RunPoint>& points, const models::Converter& converter,
                              const models::Samples& windows, search::RandomKey key,
                              const RunDirectory& directory, const Console& console,
                              std::stop_token stop);

}  // namespace regroup::apps
