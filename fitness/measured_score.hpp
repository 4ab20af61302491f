#pragma once

#include <span>
#include <vector>

#include "fitness/measured_fitness.hpp"
#include "fitness/measuring/measuring_service.hpp"
#include "search/groupings/grouping_score.hpp"

namespace regroup::fitness {

/// What is measured of a grouping as the score of a search: the mean over the windows of the model
/// converted by one recipe. The windows are data to select on, never those that are reported
/// (METHODS §9).
class MeasuredScore : public search::GroupingScore {
 public:
  /// `service` must outlive it.
  MeasuredScore(const MeasuringService<double>& service, const models::MergeRecipe& recipe)
      : service_(service), recipe_(recipe) {}

  /// Throws as MeasuringService::measure.
  std::vector<double> scores(std::span<const search::Grouping> groupings) const override;

 private:
  const MeasuringService<double>& service_;
  models::MergeRecipe recipe_;
};

}  // namespace regroup::fitness
