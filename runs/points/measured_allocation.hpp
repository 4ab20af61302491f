#pragma once

#include <memory>
#include <span>
#include <stop_token>
#include <vector>

#include "fitness/measuring/measuring_service.hpp"
#include "runs/base/run_log.hpp"
#include "runs/directory/run_measurements.hpp"
#include "search/method/method.hpp"

namespace regroup::runs {

/// Splits KV heads over the layers by what grouping each layer alone does to the model, instead of
/// by the price (`--allocation measured`): KL(source ‖ converted) on the selection data (METHODS
/// §8), for as few of the method's per-layer options as the choice depends on, the price showing
/// where to look first. Of each size the grouping found so and the one that the price chose are
/// then measured whole, and the better one is taken. Measurements are remembered in the run
/// directory.
class MeasuredAllocation {
 public:
  /// On the windows of `meter`, merging by `recipe`. Meter, directory and log must outlive it.
  MeasuredAllocation(const models::CandidateMeter& meter, const models::MergeRecipe& recipe,
                     const RunDirectory& directory, const RunLog& log, std::stop_token stop);

  /// The best grouping for each of `kv_heads`, ascending, with its KL as error. `found` knows its
  /// units. Throws Interrupted, WorkError.
  std::vector<search::ModelPoint> allocate(const search::GroupingProblem& problem,
                                           const search::MethodResult& found,
                                           const std::vector<int>& kv_heads) const;

 private:
  /// KL(source ‖ converted) of every grouping.
  std::vector<double> divergences(std::span<const search::Grouping> groupings,
                                  models::RefitScope scope, search::Progress& progress) const;
  /// The best of the measured and the priced grouping of every size.
  std::vector<search::ModelPoint> choose(const search::GroupingProblem& problem,
                                         const std::vector<search::ModelPoint>& measured,
                                         const std::vector<search::ModelPoint>& priced,
                                         const std::vector<int>& kv_heads) const;

  const models::CandidateMeter& meter_;
  models::MergeRecipe recipe_;
  const RunLog& log_;
  std::unique_ptr<fitness::Workers<models::WindowScore>> workers_;
  RunMeasurements<models::WindowScore> memory_;
  fitness::MeasuringService<models::WindowScore> service_;
};

}  // namespace regroup::runs
