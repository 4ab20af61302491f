#include "apps/search/measure_points.hpp"

#include <fmt/format.h>

#include <chrono>
#include <map>
#include <utility>

#include "apps/search/compare_points.hpp"
#include "apps/search/grouping_key.hpp"
#include "models/files/sha256.hpp"
#include "models/merge/merge_operator.hpp"

namespace regroup::apps {
namespace {

using Scores = std::vector<models::WindowScore>;

constexpr const char* kSource = "source";

/// Equal for points that are the same model.
std::string key_of(const RunPoint& point) {
  if (point.point.grouping.is_source()) return kSource;
  return models::sha256_hex(grouping_content(point.point.grouping, point.recipe));
}

/// Scores of the source and of groupings by key, from the run directory or by measuring.
class PointScores {
 public:
  PointScores(const models::Converter& converter, const models::Samples& windows,
              const RunDirectory& directory, const Console& console, std::stop_token stop)
      : converter_(converter),
        windows_(windows),
        directory_(directory),
        console_(console),
        stop_(std::move(stop)) {}

  /// Makes the scores of the source and of all points known.
  void find(const std::vector<RunPoint>& points) {
    const bool knows_source = recall(kSource);
    std::vector<const RunPoint*> missing;
    for (const RunPoint& point : points) {
      const std::string key = key_of(point);
      if (key == kSource || scores_.contains(key) || recall(key)) continue;
      scores_[key] = {};
      missing.push_back(&point);
    }
    if (!knows_source || !missing.empty()) measure(missing);
  }

  const Scores& operator[](const std::string& key) const { return scores_.at(key); }

 private:
  bool recall(const std::string& key) {
    auto scores = directory_.recall_scores(key, windows_.size());
    if (scores) scores_[key] = std::move(*scores);
    return scores.has_value();
  }

  void keep(const std::string& key, Scores scores) {
    directory_.remember_scores(key, scores);
    scores_[key] = std::move(scores);
  }

  void measure(const std::vector<const RunPoint*>& missing) {
    search::Progress& progress = console_.progress();
    const auto started = std::chrono::steady_clock::now();
    progress.begin("measuring the source", windows_.tokens(), windows_.unit());
    const models::SourceStates states =
        converter_.source().source_states(windows_, stop_, progress);
    progress.end();
    if (!scores_.contains(kSource)) keep(kSource, states.scores());
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - started;
    console_.log(fmt::format("{} groupings to measure, about {}", missing.size(),
                             duration_text(seconds.count() * passes(missing))));
    progress.begin("measuring groupings", missing.size() * windows_.tokens(), windows_.unit());
    for (const RunPoint* point : missing) {
      const models::LanguageModel model =
          converter_.convert(point->point.grouping, point->recipe, stop_);
      keep(key_of(*point), model.compare(states, stop_, progress));
    }
    progress.end();
  }

  /// How many times as long as the source all of `missing` take: their own passes, and the refits'.
  double passes(const std::vector<const RunPoint*>& missing) const {
    double tokens = 0;
    for (const RunPoint* point : missing) {
      if (!point->point.grouping.is_source()) tokens += converter_.refit_tokens(point->recipe);
    }
    return static_cast<double>(missing.size()) + tokens / static_cast<double>(windows_.tokens());
  }

  const models::Converter& converter_;
  const models::Samples& windows_;
  const RunDirectory& directory_;
  const Console& console_;
  std::stop_token stop_;
  std::map<std::string, Scores> scores_;
};

}  // namespace

SourceMeasures measure_points(std::vector<RunPoint>& points, const models::Converter& converter,
                              const models::Samples& windows, search::RandomKey key,
                              const RunDirectory& directory, const Console& console,
                              std::stop_token stop) {
  PointScores scores(converter, windows, directory, console, std::move(stop));
  scores.find(points);
  const bool has_accuracy = converter.source().config().kind == models::ModelKind::kImage;
  const auto accuracy = [&](const Scores& measured) -> std::optional<fitness::LossEstimate> {
    if (!has_accuracy) return std::nullopt;
    return fitness::estimate(models::values_of(measured, &models::WindowScore::accuracy));
  };
  const std::vector<double> source_losses =
      models::values_of(scores[kSource], &models::WindowScore::loss);
  std::vector<std::vector<double>> losses;
  for (RunPoint& point : points) {
    const Scores& measured = scores[key_of(point)];
    losses.push_back(models::values_of(measured, &models::WindowScore::loss));
    point.loss = fitness::estimate(losses.back());
    point.delta = fitness::paired_difference(losses.back(), source_losses);
    point.divergence =
        fitness::estimate(models::values_of(measured, &models::WindowScore::divergence));
    point.accuracy = accuracy(measured);
    point.agreement =
        fitness::estimate(models::values_of(measured, &models::WindowScore::agreement)).mean;
  }
  compare_points(points, losses, source_losses, key);
  return {fitness::estimate(source_losses), accuracy(scores[kSource])};
}

}  // namespace regroup::apps
