#include "runs/records/front_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "fitness/measured_score.hpp"
#include "models/files/json_file.hpp"
#include "models/grouping/grouping_file.hpp"
#include "runs/points/run_front.hpp"
#include "runs/records/cache_files.hpp"

namespace regroup::runs {
namespace {

using nlohmann::ordered_json;

/// A value that was not measured is absent.
void set_if(ordered_json& object, const char* key, const std::optional<double>& value) {
  if (value) object[key] = *value;
}

/// The mean, and beside it the standard error where there is one.
void set_estimate(ordered_json& object, const std::string& key,
                  const std::optional<fitness::LossEstimate>& estimate) {
  if (!estimate) return;
  object[key] = estimate->mean;
  set_if(object, (key + "_stderr").c_str(), estimate->standard_error);
}

/// Of the groups of all layers that state widths: "64", "32/64" of keys and values that differ, or
/// "by layer".
std::string width_text(const search::Grouping& grouping) {
  std::set<std::pair<int, int>> widths;
  for (const search::LayerGrouping& layer : grouping.layers) {
    if (!layer.widths) continue;
    for (const int key : layer.widths->keys) {
      for (const int value : layer.widths->values) widths.emplace(key, value);
    }
  }
  if (widths.size() > 1) return "by layer";
  const auto [key, value] = *widths.begin();
  return key == value ? std::to_string(key) : fmt::format("{}/{}", key, value);
}

ordered_json point_json(const RunPoint& point, const models::PretrainedModel& model) {
  const double size = point.point.grouping.size();
  ordered_json json = {
      {"series", point.series},
      {"method", point.method},
      {"merge", point.recipe.merge->name()},
      {"renorm", point.recipe.renorm},
      {"refit", models::refit_name(point.recipe.refit)},
      {"reconstruct", point.recipe.reconstruction_steps},
      {"kv_ratio", point.point.grouping.kv_ratio()},
      {"bytes_per_token", models::kv_bytes_per_token(model.config, size, model.dtype)}};
  for (const auto& [fitness, error] : point.proxies) json[fitness] = error;
  set_if(json, "kv_limit", point.kv_limit);
  if (point.loss) {
    json["loss"] = point.loss->mean;
    set_if(json, "loss_stderr", point.loss->standard_error);
    json["delta_loss"] = point.delta->mean;
    set_if(json, "delta_loss_stderr", point.delta->standard_error);
  }
  if (point.delta_interval) {
    json["delta_loss_low"] = point.delta_interval->low;
    json["delta_loss_high"] = point.delta_interval->high;
  }
  set_estimate(json, "kl", point.divergence);
  set_estimate(json, "accuracy", point.accuracy);
  set_if(json, "top1_agreement", point.agreement);
  set_if(json, "search_better", point.search_better);
  json["on_front"] = point.on_front;
  json["grouping"] = grouping_path(point);
  set_if(json, "compute", point.compute);
  if (point.point.grouping.has_widths()) json["width"] = width_text(point.point.grouping);
  if (!point.caches.empty()) json["caches"] = caches_json(point.caches, size, model);
  set_estimate(json, "uptrained_loss", point.uptrained);
  set_estimate(json, "uptrained_delta_loss", point.uptrained_delta);
  return json;
}

ordered_json certificate_json(const search::Certificate& certificate) {
  return {{"hypervolume", certificate.hypervolume},
          {certificate.is_exact ? "exact_hypervolume" : "hypervolume_bound", certificate.best},
          {"fraction", certificate.fraction()},
          {"worst_gap", certificate.worst_gap}};
}

/// A field of a CSV row: text as it is, numbers in full, an absent value empty.
std::string csv_field(const ordered_json& point, const std::string& column) {
  const auto found = point.find(column);
  if (found == point.end()) return "";
  return found->is_string() ? found->get<std::string>() : found->dump();
}

/// Every fitness that some point has a price by; a point in groups of other widths has fewer.
std::vector<std::string> priced_by(const std::vector<RunPoint>& points) {
  const RunPoint& most = *std::ranges::max_element(
      points, {}, [](const RunPoint& point) { return point.proxies.size(); });
  std::vector<std::string> names;
  for (const auto& [fitness, error] : most.proxies) names.push_back(fitness);
  return names;
}

std::string front_csv(const std::vector<RunPoint>& points, const ordered_json& rows) {
  std::vector<std::string> columns = {"series", "method",      "merge",    "renorm",
                                      "refit",  "reconstruct", "kv_ratio", "bytes_per_token"};
  for (const std::string& fitness : priced_by(points)) columns.push_back(fitness);
  columns.insert(columns.end(),
                 {"kv_limit", "loss", "loss_stderr", "delta_loss", "delta_loss_stderr",
                  "delta_loss_low", "delta_loss_high", "kl", "kl_stderr"});
  if (points.front().accuracy) columns.insert(columns.end(), {"accuracy", "accuracy_stderr"});
  columns.insert(columns.end(), {"top1_agreement", "search_better", "on_front", "grouping"});
  const bool has_widths = std::ranges::any_of(
      points, [](const RunPoint& point) { return point.point.grouping.has_widths(); });
  if (points.front().compute) columns.emplace_back("compute");
  if (has_widths) columns.emplace_back("width");
  if (points.front().uptrained) {
    columns.insert(columns.end(), {"uptrained_loss", "uptrained_delta_loss"});
  }
  std::string text = fmt::format("{}\n", fmt::join(columns, ","));
  for (const ordered_json& row : rows) {
    std::vector<std::string> fields;
    for (const std::string& column : columns) fields.push_back(csv_field(row, column));
    text += fmt::format("{}\n", fmt::join(fields, ","));
  }
  return text;
}

std::vector<std::string> grouping_names(const std::vector<RunPoint>& points) {
  std::set<std::string> names;
  for (const RunPoint& point : points) names.insert(point.name + ".json");
  return {names.begin(), names.end()};
}

void write_grouping(const RunPoint& point, const SearchPlan& plan,
                    const models::PretrainedModel& model, const RunDirectory& directory,
                    const std::optional<models::CalibrationReference>& calibration) {
  ordered_json objectives = ordered_json::object();
  for (const auto& [fitness, error] : point.proxies) objectives[fitness] = error;
  if (point.loss) objectives["loss"] = point.loss->mean;
  directory.write(
      grouping_path(point),
      models::grouping_text(point.point.grouping, point.recipe, model,
                            {objectives, point.method, std::string(plan.price.name()), plan.seed,
                             point.recipe.needs_calibration() ? calibration : std::nullopt}));
}

/// The field of a point by which the run chose among its groupings.
std::string price_name(const SearchPlan& plan) {
  if (plan.allocates_by_measuring()) return kSelectionDivergence;
  return std::string(plan.price.field());
}

}  // namespace

std::string grouping_path(const RunPoint& point) {
  return fmt::format("groupings/{}.json", point.name);
}

ordered_json write_front(const std::vector<RunPoint>& points, const FrontSummary& summary,
                         const SearchPlan& plan, const models::PretrainedModel& model,
                         const RunDirectory& directory) {
  const int source_heads = model.config.stored_kv_heads();
  ordered_json front = {{"format", "regroup.front"},
                        {"version", 1},
                        {"fitness", std::string(plan.price.name())},
                        {"price", price_name(plan)},
                        {"source",
                         {{"kv_bytes_per_token",
                           models::kv_bytes_per_token(model.config, source_heads, model.dtype)}}}};
  if (summary.source) {
    front["source"]["loss"] = summary.source->loss.mean;
    set_if(front["source"], "loss_stderr", summary.source->loss.standard_error);
    set_estimate(front["source"], "accuracy", summary.source->accuracy);
    if (!summary.source->caches.empty()) {
      front["source"]["caches"] = caches_json(summary.source->caches, source_heads, model);
    }
  }
  if (summary.certificate) front["certificate"] = certificate_json(*summary.certificate);
  if (plan.measuring.uptrain_tokens > 0) {
    front["uptrain"] = {{"tokens", plan.measuring.uptrain_tokens}};
    if (summary.uptrained) {
      front["uptrain"]["spearman"] = summary.uptrained->spearman;
      front["uptrain"]["kendall"] = summary.uptrained->kendall;
    }
  }
  front["points"] = ordered_json::array();
  directory.announce_groupings(grouping_names(points));
  for (const RunPoint& point : points) {
    write_grouping(point, plan, model, directory, summary.calibration);
    front["points"].push_back(point_json(point, model));
  }
  directory.write("front.csv", front_csv(points, front["points"]));
  const std::string caches = caches_csv(front);
  if (!caches.empty()) directory.write("caches.csv", caches);
  directory.write("front.json", models::json_text(front, 1) + "\n");
  return front;
}

std::string proof_csv(const std::vector<search::ProofRecord>& proofs) {
  std::string text = "unit,groups,cost,bound,gap,optimal,nodes\n";
  for (const search::ProofRecord& proof : proofs) {
    const double gap = proof.cost > 0 ? (proof.cost - proof.bound) / proof.cost : 0;
    text += fmt::format("{},{},{},{},{},{},{}\n", proof.unit, proof.groups, proof.cost, proof.bound,
                        gap, proof.is_optimal, proof.nodes);
  }
  return text;
}

std::string history_csv(const search::History& history) {
  std::string text = "stage,unit,generation,evaluations,front,hypervolume\n";
  for (const search::GenerationRecord& row : history) {
    text += fmt::format("{},{},{},{},{},{}\n", row.stage, row.unit, row.generation, row.evaluations,
                        row.front, row.hypervolume);
  }
  return text;
}

}  // namespace regroup::runs
