#include "runs/points/measure_points.hpp"

#include "runs/points/compare_points.hpp"

namespace regroup::runs {
namespace {

using Scores = PointScores::Scores;
using models::values_of;
using models::WindowScore;

CacheMeasures cache_measures(models::CacheType type, const Scores& measured,
                             const std::vector<double>& source_losses) {
  const std::vector<double> losses = values_of(measured, &WindowScore::loss);
  return {type, fitness::estimate(losses), fitness::paired_difference(losses, source_losses),
          fitness::estimate(values_of(measured, &WindowScore::divergence)),
          fitness::estimate(values_of(measured, &WindowScore::agreement)).mean};
}

/// Of the source where `point` is null.
std::vector<CacheMeasures> all_caches(const PointScores& scores, const RunPoint* point,
                                      const std::vector<double>& source_losses) {
  std::vector<CacheMeasures> all;
  for (const models::CacheType type : point == nullptr ? scores.caches() : scores.caches(*point)) {
    const Scores& measured = point == nullptr ? scores.source(type) : scores.of(*point, type);
    all.push_back(cache_measures(type, measured, source_losses));
  }
  return all;
}

}  // namespace

SourceMeasures measure_points(std::vector<RunPoint>& points, PointScores& scores,
                              search::RandomKey key) {
  scores.find(points);
  const bool has_accuracy = models::has_classes(scores.config().kind) && scores.config().has_head;
  const auto accuracy = [&](const Scores& measured) -> std::optional<fitness::LossEstimate> {
    if (!has_accuracy) return std::nullopt;
    return fitness::estimate(values_of(measured, &WindowScore::accuracy));
  };
  const std::vector<double> source_losses = values_of(scores.source(), &WindowScore::loss);
  std::vector<std::vector<double>> losses;
  for (RunPoint& point : points) {
    const Scores& measured = scores.of(point);
    losses.push_back(values_of(measured, &WindowScore::loss));
    point.loss = fitness::estimate(losses.back());
    point.delta = fitness::paired_difference(losses.back(), source_losses);
    point.divergence = fitness::estimate(values_of(measured, &WindowScore::divergence));
    point.accuracy = accuracy(measured);
    point.agreement = fitness::estimate(values_of(measured, &WindowScore::agreement)).mean;
    if (point.series == "search") point.caches = all_caches(scores, &point, source_losses);
  }
  compare_points(points, losses, source_losses, key);
  return {fitness::estimate(source_losses), accuracy(scores.source()),
          all_caches(scores, nullptr, source_losses)};
}

}  // namespace regroup::runs
