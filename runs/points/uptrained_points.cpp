#include "runs/points/uptrained_points.hpp"

#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "fitness/rank_correlation.hpp"
#include "models/files/sha256.hpp"
#include "runs/directory/run_measurements.hpp"

namespace regroup::runs {
namespace {

using Scores = std::vector<models::WindowScore>;

/// Measures points after a training each, those alone that no earlier run did.
class PointTraining {
 public:
  PointTraining(const models::Merger& merger, const models::MergeStore* store,
                const UptrainSetting& setting, const RunDirectory& directory, const RunLog& log,
                std::stop_token stop)
      : setting_(setting),
        directory_(directory),
        training_(merger, store, setting, log, std::move(stop)) {}

  Scores scores(const RunPoint& point) {
    const std::string key = measurement_key(point);
    if (auto known = directory_.recall_scores(key, setting_.measured.size())) return *known;
    const Scores found = training_.scores(point.point.grouping, point.recipe, point.name);
    directory_.remember_scores(key, found);
    return found;
  }
  const Scores& source() { return training_.source(); }

 private:
  std::string measurement_key(const RunPoint& point) const {
    const fitness::Candidate candidate{point.point.grouping,
                                       {point.recipe, models::RefitScope::kAllFollowing, {}}};
    return models::sha256_hex(fmt::format("uptrain {} {} {}\n{}", setting_.tokens,
                                          setting_.data_sha256, setting_.data.size(),
                                          reported_key(candidate)));
  }

  const UptrainSetting& setting_;
  const RunDirectory& directory_;
  GroupingTraining training_;
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
                                               const models::MergeStore* store,
                                               const UptrainSetting& setting,
                                               const RunDirectory& directory, const RunLog& log,
                                               std::stop_token stop) {
  PointTraining training(merger, store, setting, directory, log, std::move(stop));
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
