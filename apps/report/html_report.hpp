#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <span>
#include <string>

#include "runs/reading/run_data.hpp"

namespace regroup::apps {

/// The report of one or several runs as one self-contained HTML page that loads nothing; its links
/// to the grouping files are relative to `report_directory`, where the page will lie. The same runs
/// give the same bytes. Throws InputError if `runs` is empty.
std::string html_report(std::span<const runs::RunData> runs,
                        const std::filesystem::path& report_directory);

/// What the page draws: runs with their series, points, partitions and rank correlations, links
/// relative to `report_directory`. Absent values are absent keys. `runs` must not be empty.
nlohmann::json report_data(std::span<const runs::RunData> runs,
                           const std::filesystem::path& report_directory);

}  // namespace regroup::apps
