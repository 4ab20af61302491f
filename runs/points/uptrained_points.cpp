#include "runs/points/uptrained_points.hpp"

#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "fitness/rank_correlation.hpp"
#include "models/files/sha256.hpp"
#include "models/language_model/trainer.hpp"
#include "runs/directory/run_measurements.hpp"

namespace regroup::runs {
namespace {

using Scores = std::vector<models::WindowScore>;

/// Measures points after a training each.
class PointTraining {
 public:
  PointTraining(const models::Merger& merger, const UptrainSetting& setting,
                const RunDirectory& directory, const RunLog& log, std::stop_token stop)
      : merger_(merger),
        setting_(setting),
        directory_(directory),
        log_(log),
        stop_(std::move(stop)) {
    options_.tokens = setting.tokens;
  }

  Scores scores(const RunPoint& point) {
    const std::string key = measurement_key(point);
    if (auto known = directory_.recall_scores(key, setting_.measured.size())) return *known;
    const Scores found = trained_scores(point);
    directory_.remember_scores(key, found);
    return found;
  }
  const Scores& source() {
    if (!source_) {
      search::SilentProgress silent;
      source_ = merger_.source().source_states(setting_.measured, stop_, silent);
    }
    return source_->scores();
  }

 private:
  std::string measurement_key(const RunPoint& point) const {
    const fitness::Candidate candidate{point.point.grouping,
                                       {point.recipe, models::RefitScope::kAllFollowing, {}}};
    return models::sha256_hex(fmt::format("uptrain {} {} {}\n{}", setting_.tokens,
                                          setting_.data_sha256, setting_.data.size(),
                                          reported_key(candidate)));
  }

  Scores trained_scores(const RunPoint& point) {
    source();
    const models::LanguageModel start =
        merger_.merged_model(point.point.grouping, point.recipe, stop_);
    models::Trainer trainer(start, merger_.source(), merger_.source(), point.point.grouping,
                            options_, setting_.data, setting_.key);
    search::Progress& progress = log_.progress();
    progress.begin(fmt::format("training {}", point.name),
                   static_cast<std::size_t>(trainer.steps()), "steps");
    while (trainer.done() < trainer.steps()) {
      trainer.step(stop_);
      progress.advance(1);
    }
    progress.end();
    search::SilentProgress silent;
    return trainer.model().compare(*source_, stop_, silent);
  }

  const models::Merger& merger_;
  const UptrainSetting& setting_;
  const RunDirectory& directory_;
  const RunLog& log_;
  std::stop_token stop_;
  models::TrainingOptions options_;
  std::optional<models::SourceStates> source_;
};

std::optional<UptrainAgreement> agreement_of(const std::vector<RunPoint>& points) {
  std::vector<double> before;
  std::vector<double> after;
  for (const RunPoint& point : points) {
    before.push_back(point.loss->mean);
    after.push_back(point.uptrained->mean);
  }
  const UptrainAgreement agreement{fitness::spearman(before, after),
                                   fitness::kendall(before, after)};
  if (std::isnan(agreement.spearman)) return std::nullopt;
  return agreement;
}

}  // namespace

std::optional<UptrainAgreement> uptrain_points(std::vector<RunPoint>& points,
                                               const models::Merger& merger,
                                               const UptrainSetting& setting,
                                               const RunDirectory& directory, const RunLog& log,
                                               std::stop_token stop) {
  PointTraining training(merger, setting, directory, log, std::move(stop));
  for (RunPoint& point : points) {
    const std::vector<double> losses =
        values_of(training.scores(point), &models::WindowScore::loss);
    point.uptrained = fitness::estimate(losses);
    point.uptrained_delta = fitness::paired_difference(
        losses, values_of(training.source(), &models::WindowScore::loss));
  }
  return agreement_of(points);
}

}  // namespace regroup::runs
