#pragma once

#include <nlohmann/json.hpp>
#include <stop_token>

#include "runs/base/run_log.hpp"
#include "runs/correlate/correlate_options.hpp"

namespace regroup::runs {

/// The whole comparison of proxies with measurements (METHODS §7, §9), from a checkpoint to the
/// output directory; returns correlations.json. Throws InputError before anything is written,
/// WorkError, Interrupted.
nlohmann::ordered_json run_correlate(const CorrelateOptions& options, const RunLog& log,
                                     std::stop_token stop);

}  // namespace regroup::runs
