#pragma once

#include <string_view>

namespace regroup::apps {

// The page's parts, embedded at build time by cmake/EmbedResources.cmake.
extern const std::string_view kPageTemplate;  ///< apps/report/page/report.html
extern const std::string_view kPageStyle;     ///< apps/report/page/report.css
extern const std::string_view kPageScript;    ///< apps/report/page/report.js
extern const std::string_view kChartScript;   ///< Chart.js, from the system's package

}  // namespace regroup::apps
