#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <span>

#include "runs/reading/run_data.hpp"

namespace regroup::apps {

/// What the page draws: runs with their series, points, partitions and rank correlations, links
/// relative to `report_directory`. Absent values are absent keys. `runs` must not be empty.
nlohmann::json report_data(std::span<const runs::RunData> runs,
                           const std::filesystem::path& report_directory);

}  // namespace regroup::apps
