#pragma once

#include <stop_token>
#include <vector>

#include "apps/search/run_directory.hpp"
#include "apps/search/run_points.hpp"
#include "apps/terminal/console.hpp"
#include "fitness/loss_estimate.hpp"
#include "models/converter.hpp"

namespace regroup::apps {

/// Measures the source and every point on `windows`, each distinct grouping once, and fills in what
/// the points say of loss and source. What the run directory remembers is not measured again; each
/// new measurement is remembered at once. Says the expected time first. `key` draws the resamples
/// of the intervals. Returns the source's loss.
fitness::LossEstimate measure_points(std::vector<RunPoint>& points,
                                     const models::Converter& converter,
                                     const models::TokenWindows& windows, search::RandomKey key,
                                     const RunDirectory& directory, const Console& console,
                                     std::stop_token stop);

}  // namespace regroup::apps
