#include "apps/report/write_report.hpp"

#include <optional>
#include <string>

#include "apps/report/html_report.hpp"
#include "apps/report/svg_report.hpp"
#include "models/files/atomic_file.hpp"
#include "runs/reading/run_data.hpp"

namespace regroup::apps {
namespace {

/// The chart; without gnuplot nothing but a remark.
std::optional<std::string> chart_of(std::span<const runs::RunData> runs, const runs::RunLog& log) {
  if (can_draw_svg()) return svg_report(runs);
  log.log("gnuplot is not installed: the chart (.svg) is left out");
  return std::nullopt;
}

}  // namespace

void write_run_report(const runs::RunDirectory& directory, const nlohmann::json& record,
                      const runs::RunLog& log) {
  const std::vector<runs::RunData> runs{runs::load_run(directory.path(), record)};
  directory.write("report.html", html_report(runs, directory.path()));
  if (const auto chart = chart_of(runs, log)) directory.write("report.svg", *chart);
}

void write_report(std::span<const std::filesystem::path> runs, const std::filesystem::path& output,
                  const runs::RunLog& log) {
  std::vector<runs::RunData> loaded;
  for (const std::filesystem::path& run : runs) loaded.push_back(runs::load_run(run));
  const std::filesystem::path folder =
      output.has_parent_path() ? output.parent_path() : std::filesystem::path(".");
  const std::optional<std::string> chart = chart_of(loaded, log);
  models::write_file_atomically(output, html_report(loaded, folder));
  const std::filesystem::path beside = std::filesystem::path(output).replace_extension(".svg");
  if (chart) {
    models::write_file_atomically(beside, *chart);
  } else {
    std::filesystem::remove(beside);  // an older chart would not be this page's
  }
}

}  // namespace regroup::apps
