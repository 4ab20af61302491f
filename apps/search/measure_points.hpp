#pragma once

#include <stop_token>
#include <vector>

#include "apps/search/run_directory.hpp"
#include "apps/search/run_points.hpp"
#include "apps/terminal/console.hpp"
#include "fitness/loss_meter.hpp"

namespace regroup::apps {

/// Measures the source and every point on the meter's windows, each distinct grouping once, and
/// fills in loss and change of loss. What the run directory remembers is not measured again; each
/// new measurement is remembered at once. Says the expected time first. Returns the source's loss.
fitness::LossEstimate measure_points(std::vector<RunPoint>& points, const fitness::LossMeter& meter,
                                     const RunDirectory& directory, const Console& console,
                                     std::stop_token stop);

}  // namespace regroup::apps
