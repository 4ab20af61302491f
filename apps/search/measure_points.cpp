#include "apps/search/measure_points.hpp"

#include <fmt/format.h>

#include <chrono>
#include <map>

#include "models/files/sha256.hpp"
#include "models/merge/merge_operator.hpp"

namespace regroup::apps {
namespace {

constexpr const char* kSource = "source";

/// Equal for points that are the same model.
std::string key_of(const RunPoint& point) {
  std::string text = point.merge;
  for (const search::LayerGrouping& layer : point.point.grouping.layers) {
    text += fmt::format("\n{}\n{}", layer.keys.to_string(), layer.values.to_string());
  }
  return models::sha256_hex(text);
}

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

fitness::LossEstimate measure_points(std::vector<RunPoint>& points, const fitness::LossMeter& meter,
                                     const RunDirectory& directory, const Console& console,
                                     std::stop_token stop) {
  search::Progress& progress = console.progress();
  std::map<std::string, std::vector<double>> losses;
  std::vector<const RunPoint*> missing;
  for (const RunPoint& point : points) {
    const std::string key = key_of(point);
    if (losses.contains(key)) continue;
    auto remembered = directory.recall(key);
    if (!remembered) missing.push_back(&point);
    losses[key] = std::move(remembered).value_or(std::vector<double>{});
  }

  const auto started = std::chrono::steady_clock::now();
  auto source = directory.recall(kSource);
  if (!source) {
    progress.begin("measuring the source", meter.windows().tokens(), "tokens");
    source = meter.source(stop, progress);
    progress.end();
    directory.remember(kSource, *source);
    console.log(
        fmt::format("{} groupings to measure, about {}", missing.size(),
                    duration_text(seconds_since(started) * static_cast<double>(missing.size()))));
  }
  progress.begin("measuring groupings", missing.size() * meter.windows().tokens(), "tokens");
  for (const RunPoint* point : missing) {
    std::vector<double>& measured = losses[key_of(*point)];
    measured =
        meter.converted(point->point.grouping, models::find_merge(point->merge), stop, progress);
    directory.remember(key_of(*point), measured);
  }
  progress.end();
  for (RunPoint& point : points) {
    const std::vector<double>& measured = losses[key_of(point)];
    point.loss = fitness::estimate(measured);
    point.delta = fitness::paired_difference(measured, *source);
  }
  return fitness::estimate(*source);
}

}  // namespace regroup::apps
