#include "apps/report/html_report.hpp"

#include <fmt/format.h>

#include <vector>

#include "apps/report/page_text.hpp"
#include "apps/report/resources.hpp"
#include "search/base/error.hpp"

namespace regroup::apps {
namespace {

/// JSON that cannot end the script element it stands in, nor a line of an old script engine.
std::string script_safe(const std::string& json_text) {
  const std::vector<Replacement> escapes{{"<", "\\u003c"},
                                         {">", "\\u003e"},
                                         {"&", "\\u0026"},
                                         {"\u2028", "\\u2028"},
                                         {"\u2029", "\\u2029"}};
  return replace_all(json_text, escapes);
}

std::string title(std::span<const runs::RunData> runs) {
  for (const runs::RunData& run : runs) {
    if (run.model.name != runs[0].model.name) return fmt::format("{} runs", runs.size());
  }
  return runs[0].model.name;
}

}  // namespace

std::string html_report(std::span<const runs::RunData> runs,
                        const std::filesystem::path& report_directory) {
  if (runs.empty()) throw InputError({.what = "a report needs at least one run"});
  const std::string data =
      script_safe(report_data(runs, report_directory)
                      .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  const std::string safe_title = html_text(title(runs));
  const std::vector<Replacement> parts{{"{{title}}", safe_title},
                                       {"{{style}}", kPageStyle},
                                       {"{{chart_script}}", kChartScript},
                                       {"{{data}}", data},
                                       {"{{script}}", kPageScript}};
  return replace_all(kPageTemplate, parts);
}

}  // namespace regroup::apps
