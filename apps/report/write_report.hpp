#pragma once

#include <nlohmann/json.hpp>

#include "runs/directory/run_directory.hpp"

namespace regroup::apps {

/// Writes report.html and report.svg of one run into its own directory. `record` is what run.json
/// will say of the result; front.json, groupings and history.csv must be there. Throws WorkError.
void write_run_report(const runs::RunDirectory& directory, const nlohmann::json& record);

/// The page for several runs (`regroup report`), written to `output`, and its chart beside it with
/// the ending .svg. Throws InputError for a broken run, WorkError.
void write_report(std::span<const std::filesystem::path> runs, const std::filesystem::path& output);

}  // namespace regroup::apps
