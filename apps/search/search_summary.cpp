#include "apps/search/search_summary.hpp"

#include <fmt/format.h>

#include <set>

#include "apps/search/front_files.hpp"
#include "search/front_selection.hpp"

namespace regroup::apps {
namespace {

using nlohmann::ordered_json;

/// The largest point of a series within a limit; null if none fits. Of several draws the first.
const RunPoint* within(const SearchSummary& summary, const std::string& series, double limit) {
  const int most = search::kv_heads_within(limit, summary.kv_heads_of_source);
  const RunPoint* best = nullptr;
  for (const RunPoint& point : summary.points) {
    const double size = point.point.objectives.size;
    if (point.series != series || size > most) continue;
    if (best == nullptr || size > best->point.objectives.size) best = &point;
  }
  return best;
}

std::set<double> limits(const SearchSummary& summary) {
  std::set<double> asked;
  for (const RunPoint& point : summary.points) {
    if (point.kv_limit) asked.insert(*point.kv_limit);
  }
  return asked.empty() ? std::set<double>{0.25, 0.5, 0.75} : asked;
}

std::string loss_text(const RunPoint* point) {
  if (point == nullptr || !point->loss) return "–";
  return fmt::format("{:.4f} ({:+.4f})", point->loss->mean, point->delta->mean);
}

std::string table(const SearchSummary& summary) {
  std::string text = fmt::format("  {:>8} {:>8}  {:>20}  {:>20}  {}\n", "KV limit", "KV ratio",
                                 "loss (change)", "neighbour GQA", "grouping");
  for (const double limit : limits(summary)) {
    const RunPoint* best = within(summary, "search", limit);
    if (best == nullptr) continue;
    text += fmt::format("  {:8.4g} {:8.4f}  {:>20}  {:>20}  {}\n", limit,
                        best->point.grouping.kv_ratio(), loss_text(best),
                        loss_text(within(summary, "neighbour", limit)), grouping_path(*best));
  }
  return text;
}

std::string report_path(const SearchSummary& summary) {
  return (summary.run / "report.html").string();
}

}  // namespace

ordered_json summary_json(const SearchSummary& summary) {
  ordered_json best = ordered_json::array();
  for (const double limit : limits(summary)) {
    const RunPoint* point = within(summary, "search", limit);
    if (point == nullptr) continue;
    ordered_json entry = {{"kv_limit", limit}, {"kv_ratio", point->point.grouping.kv_ratio()}};
    if (point->loss) entry["loss"] = point->loss->mean;
    entry["grouping"] = grouping_path(*point);
    best.push_back(entry);
  }
  return {{"run", summary.run.string()},
          {"report", report_path(summary)},
          {"points", summary.points.size()},
          {"best", best},
          {"seconds", summary.seconds}};
}

std::string summary_text(const SearchSummary& summary) {
  if (summary.was_finished) {
    return fmt::format("{} is finished; nothing to do. Report: {}", summary.run.string(),
                       report_path(summary));
  }
  std::string text;
  if (summary.source) {
    text += fmt::format("Source loss {:.4f} ± {:.4f} nats/token\n", summary.source->mean,
                        summary.source->stderr_);
  }
  text += table(summary);
  return text + fmt::format("{} groupings in {}. Report: {}", summary.points.size(),
                            summary.run.string(), report_path(summary));
}

}  // namespace regroup::apps
