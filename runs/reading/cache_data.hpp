#pragma once

#include <nlohmann/json.hpp>
#include <vector>

#include "runs/reading/run_data.hpp"

namespace regroup::runs {

/// What the page's script gets of a model with other types of KV cache.
nlohmann::json cache_data(const std::vector<CachePoint>& caches);

/// What it gets of grouping beside quantised caches in a run that measured them: the types, the
/// verdict's sentences, and by size the best of each type, the plain one first.
nlohmann::json cache_comparison_data(const RunData& run);

}  // namespace regroup::runs
