#include "apps/report/write_report.hpp"

#include "apps/report/html_report.hpp"
#include "apps/report/svg_report.hpp"
#include "models/files/atomic_file.hpp"
#include "runs/reading/run_data.hpp"

namespace regroup::apps {

void write_run_report(const runs::RunDirectory& directory, const nlohmann::json& record) {
  const std::vector<runs::RunData> runs{runs::load_run(directory.path(), record)};
  directory.write("report.html", html_report(runs, directory.path()));
  directory.write("report.svg", svg_report(runs));
}

void write_report(std::span<const std::filesystem::path> runs,
                  const std::filesystem::path& output) {
  std::vector<runs::RunData> loaded;
  for (const std::filesystem::path& run : runs) loaded.push_back(runs::load_run(run));
  const std::filesystem::path folder =
      output.has_parent_path() ? output.parent_path() : std::filesystem::path(".");
  const std::string svg = svg_report(loaded);
  models::write_file_atomically(output, html_report(loaded, folder));
  models::write_file_atomically(std::filesystem::path(output).replace_extension(".svg"), svg);
}

}  // namespace regroup::apps
