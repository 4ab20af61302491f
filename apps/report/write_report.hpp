#pragma once

#include <nlohmann/json.hpp>

#include "runs/base/run_log.hpp"
#include "runs/directory/run_directory.hpp"

namespace regroup::apps {

/// Writes report.html and, where gnuplot is installed, report.svg of one run into its own
/// directory; else a remark in the log says that the chart is left out. `record` is what run.json
/// will say of the result; front.json, groupings and history.csv must be there. Throws WorkError.
void write_run_report(const runs::RunDirectory& directory, const nlohmann::json& record,
                      const runs::RunLog& log);

/// The page for several runs (`regroup report`), written to `output`, and its chart beside it with
/// the ending .svg, as write_run_report. Throws InputError for a broken run, WorkError.
void write_report(std::span<const std::filesystem::path> runs, const std::filesystem::path& output,
                  const runs::RunLog& log);

}  // namespace regroup::apps
