#include "apps/run_front.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <optional>

#include "models/files/json_fields.hpp"
#include "models/files/json_file.hpp"
#include "search/error.hpp"

namespace regroup::apps {
namespace {

constexpr double kRounding = 1e-9;

void require_limit(double limit) {
  if (limit > 0 && limit <= 1) return;
  throw InputError({.what = "KV size is out of range",
                    .where = "--kv",
                    .expected = "above 0, at most 1",
                    .found = fmt::format("{}", limit)});
}

}  // namespace

std::filesystem::path best_grouping_of_run(const std::filesystem::path& run, double limit) {
  require_limit(limit);
  const std::filesystem::path file = run / "front.json";
  const nlohmann::json front = models::read_json_file(file);
  const std::string where = file.string();
  std::optional<std::string> best;
  double best_ratio = 0;
  double smallest = 1;
  for (const nlohmann::json& point : models::required_array(front, "points", where)) {
    if (models::required_string(point, "series", where) != "search") continue;
    const double ratio = models::required_number(point, "kv_ratio", where, 0, 1);
    smallest = std::min(smallest, ratio);
    if (ratio > limit + kRounding || ratio <= best_ratio) continue;
    best_ratio = ratio;
    best = models::required_string(point, "grouping", where);
  }
  if (best) return run / *best;
  throw InputError({.what = "the run has no grouping within this KV size",
                    .where = where,
                    .expected = fmt::format("at least {}", smallest),
                    .found = fmt::format("{}", limit)});
}

}  // namespace regroup::apps
