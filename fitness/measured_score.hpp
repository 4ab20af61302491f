#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "fitness/measuring/measuring_service.hpp"
#include "search/groupings/grouping_score.hpp"

namespace regroup::fitness {

/// A fitness that is measured on the model. It is no Fitness: it does not add up over layers, so
/// only a method that takes a score can minimise it (`MeasuredScore`), on the selection data.
struct MeasuredFitness {
  std::string_view name;   ///< of --fitness: "accuracy"
  std::string_view field;  ///< of a point of front.json: "selection_error"
  models::TokenMeasure measure;
};

/// The measured fitness called `name`, or null if none is.
const MeasuredFitness* find_measured_fitness(std::string_view name);
/// Those of all.
std::span<const MeasuredFitness> measured_fitnesses();

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
