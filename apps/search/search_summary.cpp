#include "apps/search/search_summary.hpp"

#include <fmt/format.h>

#include <cmath>
#include <set>

#include "runs/points/run_front.hpp"

namespace regroup::apps {
namespace {

using nlohmann::ordered_json;

std::string front_path(const SearchSummary& summary) {
  return (summary.run / "front.json").string();
}

std::string report_path(const SearchSummary& summary) {
  return (summary.run / "report.html").string();
}

const ordered_json* best(const SearchSummary& summary, const char* series, double limit) {
  return runs::best_point(summary.front, series, limit, front_path(summary));
}

std::set<double> limits(const SearchSummary& summary) {
  std::set<double> asked;
  for (const ordered_json& point : summary.front.at("points")) {
    if (point.contains("kv_limit")) asked.insert(point["kv_limit"].get<double>());
  }
  return asked.empty() ? std::set<double>{0.25, 0.5, 0.75} : asked;
}

std::string loss_text(const ordered_json* point) {
  if (point == nullptr || !point->contains("loss")) return "–";
  return fmt::format("{:.4f} ({:+.4f})", point->at("loss").get<double>(),
                     point->at("delta_loss").get<double>());
}

/// Of an image model its accuracy, of all others the loss.
std::string quality_text(const ordered_json* point) {
  if (point == nullptr || !point->contains("accuracy")) return loss_text(point);
  return fmt::format("{:.2f} % ({:+.4f})", 100 * point->at("accuracy").get<double>(),
                     point->at("delta_loss").get<double>());
}

std::string divergence_text(const ordered_json& point) {
  return point.contains("kl") ? fmt::format("{:.4f}", point.at("kl").get<double>()) : "–";
}

const char* measured_name(const SearchSummary& summary) {
  const bool has_accuracy = summary.front.at("source").contains("accuracy");
  return has_accuracy ? "accuracy (loss)" : "loss (change)";
}

/// Of groups that are not as wide as a head.
std::string width_text(const ordered_json& point) {
  if (!point.contains("width")) return "";
  return fmt::format("  (width {})", point.at("width").get<std::string>());
}

std::string table(const SearchSummary& summary) {
  std::string text =
      fmt::format("  {:>8} {:>8}  {:>20} {:>8}  {:>20}  {}\n", "KV limit", "KV ratio",
                  measured_name(summary), "KL", "neighbour GQA", "grouping");
  for (const double limit : limits(summary)) {
    const ordered_json* point = best(summary, "search", limit);
    if (point == nullptr) continue;
    text += fmt::format("  {:8.4g} {:8.4f}  {:>20} {:>8}  {:>20}  {}{}\n", limit,
                        point->at("kv_ratio").get<double>(), quality_text(point),
                        divergence_text(*point), quality_text(best(summary, "neighbour", limit)),
                        point->at("grouping").get<std::string>(), width_text(*point));
  }
  return text;
}

/// The same points after a training each, and whether the order stays.
std::string uptrained_text(const SearchSummary& summary) {
  const ordered_json& uptrain = summary.front.at("uptrain");
  std::string text = fmt::format("After {} tokens of training\n", uptrain["tokens"].dump());
  for (const double limit : limits(summary)) {
    const ordered_json* point = best(summary, "search", limit);
    const ordered_json* neighbour = best(summary, "neighbour", limit);
    const auto loss = [](const ordered_json* of) {
      if (of == nullptr || !of->contains("uptrained_loss")) return std::string("–");
      return fmt::format("{:.4f} ({:+.4f})", of->at("uptrained_loss").get<double>(),
                         of->at("uptrained_delta_loss").get<double>());
    };
    if (point == nullptr) continue;
    text += fmt::format("  {:8.4g} {:8.4f}  {:>20} {:>8}  {:>20}\n", limit,
                        point->at("kv_ratio").get<double>(), loss(point), "", loss(neighbour));
  }
  if (!uptrain.contains("spearman")) return text;
  return text + fmt::format("Order before and after training: Spearman {:.3f}, Kendall {:.3f}\n",
                            uptrain["spearman"].get<double>(), uptrain["kendall"].get<double>());
}

/// Rounded down: 100 % only where nothing is left to win.
std::string certificate_text(const ordered_json& certificate) {
  const double percent = std::floor(certificate.at("fraction").get<double>() * 1e5) / 1e3;
  return fmt::format("Proxy front: {} % of the hypervolume of {}\n", percent,
                     certificate.contains("exact_hypervolume")
                         ? "the exact front"
                         : "a certified bound (the exact front is not known)");
}

}  // namespace

ordered_json summary_json(const SearchSummary& summary) {
  ordered_json found = ordered_json::array();
  for (const double limit : limits(summary)) {
    const ordered_json* point = best(summary, "search", limit);
    if (point == nullptr) continue;
    ordered_json entry = {{"kv_limit", limit}, {"kv_ratio", point->at("kv_ratio")}};
    if (point->contains("loss")) entry["loss"] = point->at("loss");
    if (point->contains("width")) entry["width"] = point->at("width");
    entry["grouping"] = point->at("grouping");
    found.push_back(entry);
  }
  return {{"run", summary.run.string()},
          {"report", report_path(summary)},
          {"points", summary.front.at("points").size()},
          {"best", found},
          {"certificate", summary.front.value("certificate", ordered_json())},
          {"seconds", summary.seconds}};
}

std::string summary_text(const SearchSummary& summary) {
  std::string text;
  if (summary.was_finished) text += "This run was finished already; nothing was done.\n";
  const ordered_json& source = summary.front.at("source");
  if (source.contains("accuracy")) {
    text += fmt::format("Source accuracy {:.2f} %\n", 100 * source["accuracy"].get<double>());
  }
  if (source.contains("loss")) {
    text += fmt::format("Source loss {:.4f} nats/{}\n", source["loss"].get<double>(),
                        source.contains("accuracy") ? "image" : "token");
  }
  text += table(summary);
  if (summary.front.contains("uptrain")) text += uptrained_text(summary);
  if (summary.front.contains("certificate")) {
    text += certificate_text(summary.front.at("certificate"));
  }
  return text + fmt::format("{} groupings in {}. Report: {}", summary.front.at("points").size(),
                            summary.run.string(), report_path(summary));
}

}  // namespace regroup::apps
