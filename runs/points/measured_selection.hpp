#pragma once

#include <memory>
#include <stop_token>

#include "fitness/measured_score.hpp"
#include "runs/base/run_log.hpp"
#include "runs/directory/run_measurements.hpp"

namespace regroup::runs {

/// What a measured fitness says on a run's selection data. Every measurement is kept in the run
/// directory, apart from those on the data that are reported, so that a resumed run does not repeat
/// it. Holds references to windows and directory.
class MeasuredSelection {
 public:
  MeasuredSelection(const fitness::MeasuredFitness& fitness,
                    std::shared_ptr<const models::Merger> merger, const models::Windows& windows,
                    const RunDirectory& directory, std::stop_token stop);

  const fitness::MeasuredFitness& fitness() const { return fitness_; }
  /// The score of groupings merged by `recipe`; refers to this object.
  fitness::MeasuredScore score(const models::MergeRecipe& recipe) const {
    return {service_, recipe};
  }

  /// Measures the source, and says how long a search of that many candidates takes at most. A
  /// resumed run knows the source's figure and says only the number.
  void announce(std::size_t candidates, const models::MergeRecipe& recipe, const RunLog& log) const;

 private:
  const fitness::MeasuredFitness& fitness_;
  models::CandidateMeter meter_;
  std::unique_ptr<fitness::Workers<double>> workers_;
  RunMeasurements<double> memory_;
  fitness::MeasuringService<double> service_;
};

}  // namespace regroup::runs
