#pragma once

#include <nlohmann/json.hpp>
#include <stop_token>

#include "apps/correlate/correlate_options.hpp"
#include "apps/terminal/console.hpp"

namespace regroup::apps {

/// The whole comparison of proxies with measurements (METHODS §7, §9), from a checkpoint to the
/// output directory; returns correlations.json. Throws InputError before anything is written,
/// WorkError, Interrupted.
nlohmann::ordered_json run_correlate(const CorrelateOptions& options, const Console& console,
                                     std::stop_token stop);

}  // namespace regroup::apps
