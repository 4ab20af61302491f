#pragma once

#include <optional>
#include <span>
#include <stop_token>
#include <string_view>
#include <vector>

#include "models/language_model/candidate_meter.hpp"
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

/// Keeps what was measured, so that no grouping is measured twice.
class MeasuredMemory {
 public:
  virtual ~MeasuredMemory() = default;
  /// The windows' means of a grouping merged by `recipe`, if they were kept.
  virtual std::optional<std::vector<double>> recall(const search::Grouping& grouping,
                                                    const models::MergeRecipe& recipe) const = 0;
  /// Throws WorkError.
  virtual void remember(const search::Grouping& grouping, const models::MergeRecipe& recipe,
                        const std::vector<double>& means) const = 0;
};

/// What is measured of a grouping as the score of a search: the mean over the windows of the model
/// converted by one recipe. The windows are data to select on, never those that are reported
/// (METHODS §9). Holds references to meter and memory.
class MeasuredScore : public search::GroupingScore {
 public:
  MeasuredScore(const models::CandidateMeter& meter, models::TokenMeasure measure,
                const models::MergeRecipe& recipe, const MeasuredMemory& memory,
                std::stop_token stop);

  /// Measures together the groupings that the memory does not know, and remembers them at once; the
  /// work spreads over the threads. Throws as CandidateMeter::measure.
  std::vector<double> scores(std::span<const search::Grouping> groupings) const override;

 private:
  const models::CandidateMeter& meter_;
  models::TokenMeasure measure_;
  models::MergeRecipe recipe_;
  const MeasuredMemory& memory_;
  std::stop_token stop_;
};

}  // namespace regroup::fitness
