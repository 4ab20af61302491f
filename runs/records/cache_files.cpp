#include "runs/records/cache_files.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>

namespace regroup::runs {
namespace {

using nlohmann::ordered_json;

void set_estimate(ordered_json& object, const std::string& key,
                  const fitness::LossEstimate& estimate) {
  object[key] = estimate.mean;
  if (estimate.standard_error) object[key + "_stderr"] = *estimate.standard_error;
}

/// Columns that say which model a row is of, …
constexpr std::array kModelColumns = {"series", "method", "merge", "kv_ratio"};
/// … and those of the cache.
constexpr std::array kCacheColumns = {"type",        "bytes_per_token", "loss",
                                      "loss_stderr", "delta_loss",      "delta_loss_stderr",
                                      "kl",          "kl_stderr",       "top1_agreement"};

/// Text as it is, numbers in full, an absent value empty.
std::string field(const ordered_json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end()) return "";
  return found->is_string() ? found->get<std::string>() : found->dump();
}

std::string rows_of(const ordered_json& model, const ordered_json& caches) {
  std::string text;
  for (const ordered_json& cache : caches) {
    std::vector<std::string> fields;
    for (const char* column : kModelColumns) fields.push_back(field(model, column));
    for (const char* column : kCacheColumns) fields.push_back(field(cache, column));
    fields.push_back(field(model, "grouping"));
    text += fmt::format("{}\n", fmt::join(fields, ","));
  }
  return text;
}

}  // namespace

ordered_json caches_json(const std::vector<CacheMeasures>& caches, double size,
                         const models::PretrainedModel& model) {
  ordered_json all = ordered_json::array();
  for (const CacheMeasures& cache : caches) {
    ordered_json one = {{"type", models::cache_type_name(cache.type)},
                        {"bytes_per_token", models::kv_bytes_per_token(model, size, cache.type)}};
    set_estimate(one, "loss", cache.loss);
    set_estimate(one, "delta_loss", cache.delta);
    set_estimate(one, "kl", cache.divergence);
    one["top1_agreement"] = cache.agreement;
    all.push_back(std::move(one));
  }
  return all;
}

std::string caches_csv(const ordered_json& front) {
  const ordered_json none = ordered_json::array();
  std::string rows =
      rows_of({{"series", "source"}, {"kv_ratio", 1.0}}, front.at("source").value("caches", none));
  for (const ordered_json& point : front.at("points")) {
    rows += rows_of(point, point.value("caches", none));
  }
  if (rows.empty()) return "";
  return fmt::format("{},{},grouping\n", fmt::join(kModelColumns, ","),
                     fmt::join(kCacheColumns, ",")) +
         rows;
}

}  // namespace regroup::runs
