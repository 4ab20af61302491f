#include "apps/search/measure_points.hpp"

#include <fmt/format.h>

#include <chrono>
#include <map>

#include "apps/search/grouping_key.hpp"
#include "models/files/sha256.hpp"
#include "models/merge/merge_operator.hpp"

namespace regroup::apps {
namespace {

constexpr const char* kSource = "source";

/// Equal for points that are the same model.
std::string key_of(const RunPoint& point) {
  if (point.point.grouping.is_source()) return kSource;
  return models::sha256_hex(grouping_content(point.point.grouping, point.recipe));
}

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

fitness::LossEstimate measure_points(std::vector<RunPoint>& points, const fitness::LossMeter& meter,
                                     const RunDirectory& directory, const Console& console,
                                     std::stop_token stop) {
  search::Progress& progress = console.progress();
  const auto started = std::chrono::steady_clock::now();
  auto source = directory.recall(kSource, meter.windows().size());
  const bool source_remembered = source.has_value();
  if (!source) {
    progress.begin("measuring the source", meter.windows().tokens(), "tokens");
    source = meter.source(stop, progress);
    progress.end();
    directory.remember(kSource, *source);
  }
  const double source_seconds = seconds_since(started);

  std::map<std::string, std::vector<double>> losses = {{kSource, *source}};
  std::vector<const RunPoint*> missing;
  for (const RunPoint& point : points) {
    const std::string key = key_of(point);
    if (losses.contains(key)) continue;
    auto remembered = directory.recall(key, meter.windows().size());
    if (!remembered) missing.push_back(&point);
    losses[key] = std::move(remembered).value_or(std::vector<double>{});
  }

  std::string remark = fmt::format("{} groupings to measure", missing.size());
  if (!source_remembered) {
    remark += fmt::format(", about {}",
                          duration_text(source_seconds * static_cast<double>(missing.size())));
  }
  console.log(remark);
  progress.begin("measuring groupings", missing.size() * meter.windows().tokens(), "tokens");
  for (const RunPoint* point : missing) {
    std::vector<double>& measured = losses[key_of(*point)];
    measured =
        meter.converted(point->point.grouping, point->recipe, stop, progress);
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
