#include "runs/reading/cache_data.hpp"

#include <string>

#include "runs/reading/cache_comparison.hpp"

namespace regroup::runs {
namespace {

using nlohmann::json;

json best_data(const CachedModel& best, const RunData& run) {
  json data{{"bytes", best.bytes_per_token},
            {"kv", best.is_grouped() ? best.point->kv_ratio : 1.0},
            {"loss", best.loss},
            {"delta", best.loss - *run.source_loss}};
  if (best.is_grouped() && best.point->width) data["width"] = *best.point->width;
  return data;
}

/// The best of each type within each size; where a type has none, null.
json best_by_size(const RunData& run) {
  const std::vector<CachedModel> models = cached_models(run);
  std::vector<std::string> types = measured_cache_types(run);
  types.insert(types.begin(), "");
  json rows = json::array();
  for (const std::uint64_t bytes : compared_sizes(run)) {
    json cells = json::array();
    for (const std::string& type : types) {
      const auto best = best_cached_within(models, type, bytes);
      cells.push_back(best ? best_data(*best, run) : json());
    }
    rows.push_back({{"bytes", bytes}, {"best", cells}});
  }
  return rows;
}

}  // namespace

json cache_data(const std::vector<CachePoint>& caches) {
  json all = json::array();
  for (const CachePoint& cache : caches) {
    json one{{"type", cache.type},
             {"bytes", cache.bytes_per_token},
             {"loss", cache.loss},
             {"delta", cache.delta_loss}};
    if (cache.kl) one["kl"] = *cache.kl;
    all.push_back(std::move(one));
  }
  return all;
}

json cache_comparison_data(const RunData& run) {
  return {{"types", measured_cache_types(run)},
          {"verdict", cache_verdict(run)},
          {"sizes", best_by_size(run)}};
}

}  // namespace regroup::runs
