#include "runs/points/compare_points.hpp"

#include <optional>

#include "fitness/bootstrap.hpp"

namespace regroup::runs {
namespace {

bool is_search(const RunPoint& point) {
  return point.series == "search";
}

/// The search's point that a baseline is to be compared with.
std::optional<std::size_t> rival_of(const std::vector<RunPoint>& points, const RunPoint& baseline) {
  std::optional<std::size_t> rival;
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (!is_search(points[i]) || points[i].kv_limit != baseline.kv_limit) continue;
    const double size = points[i].point.objectives.size;
    if (!baseline.kv_limit && size > baseline.point.objectives.size) continue;
    if (!rival || size > points[*rival].point.objectives.size) rival = i;
  }
  return rival;
}

}  // namespace

void compare_points(std::vector<RunPoint>& points, std::span<const std::vector<double>> losses,
                    std::span<const double> source, search::RandomKey key) {
  if (source.size() < 2) return;
  std::vector<std::vector<double>> changes(losses.begin(), losses.end());
  for (std::vector<double>& change : changes) {
    for (std::size_t w = 0; w < change.size(); ++w) change[w] -= source[w];
  }
  const auto means = fitness::bootstrap_means(changes, key);
  for (std::size_t i = 0; i < points.size(); ++i) {
    points[i].delta_interval = fitness::percentile_interval(means[i]);
    if (is_search(points[i])) continue;
    if (const auto rival = rival_of(points, points[i])) {
      points[i].search_better = fitness::share_lower(means[*rival], means[i]);
    }
  }
}

}  // namespace regroup::runs
