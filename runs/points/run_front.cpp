#include "runs/points/run_front.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "fitness/measured_score.hpp"
#include "models/files/json_fields.hpp"
#include "models/files/json_file.hpp"
#include "runs/base/option_checks.hpp"
#include "search/base/error.hpp"

namespace regroup::runs {
namespace {

using nlohmann::ordered_json;

constexpr double kRounding = 1e-9;

/// The price of a point: what the run chose by, on series that have none of it the run's fitness.
double price_of(const ordered_json& front, const ordered_json& point, const std::string& where) {
  const auto price = front.find("price");
  if (price != front.end() && price->is_string() && point.contains(price->get<std::string>())) {
    return models::required_number(point, price->get<std::string>(), where);
  }
  const std::string fitness = models::required_string(front, "fitness", where);
  const fitness::MeasuredFitness* measured = fitness::find_measured_fitness(fitness);
  return models::required_number(
      point, measured != nullptr ? std::string(measured->field) : fitness, where);
}

double smallest_ratio(const ordered_json& front, const std::string& where) {
  double smallest = 1;
  for (const ordered_json& point : front.at("points")) {
    smallest = std::min(smallest, models::required_number(point, "kv_ratio", where, 0, 1));
  }
  return smallest;
}

}  // namespace

ordered_json read_front(const std::filesystem::path& run) {
  const std::filesystem::path file = run / "front.json";
  const nlohmann::json front = models::read_json_file(file);
  models::require_format(front, "regroup.front", file.string());
  models::required_array(front, "points", file.string());
  return front;
}

const ordered_json* best_point(const ordered_json& front, const std::string& series, double limit,
                               const std::string& where) {
  const ordered_json* best = nullptr;
  double least = std::numeric_limits<double>::infinity();
  for (const ordered_json& point : front.at("points")) {
    if (models::required_string(point, "series", where) != series) continue;
    if (models::required_number(point, "kv_ratio", where, 0, 1) > limit + kRounding) continue;
    const double price = price_of(front, point, where);
    if (price >= least) continue;
    least = price;
    best = &point;
  }
  return best;
}

std::filesystem::path best_grouping_of_run(const std::filesystem::path& run, double limit) {
  require_kv_limit(limit);
  const std::string where = (run / "front.json").string();
  const ordered_json front = read_front(run);
  if (const ordered_json* best = best_point(front, "search", limit, where)) {
    return run / models::required_string(*best, "grouping", where);
  }
  throw InputError({.what = "the run has no grouping within this KV size",
                    .where = where,
                    .expected = fmt::format("at least {}", smallest_ratio(front, where)),
                    .found = fmt::format("{}", limit)});
}

}  // namespace regroup::runs
