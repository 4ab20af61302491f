#pragma once

#include <span>
#include <stop_token>
#include <vector>

#include "models/language_model/candidate_meter.hpp"
#include "runs/base/run_log.hpp"
#include "runs/directory/run_directory.hpp"
#include "runs/plan/search_options.hpp"
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
  /// All arguments must outlive it.
  MeasuredAllocation(const models::CandidateMeter& meter, const SearchOptions& options,
                     const RunDirectory& directory, const RunLog& log, std::stop_token stop);

  /// The best grouping for each of `kv_heads`, ascending, with its KL as error. `found` knows its
  /// units. Throws Interrupted, WorkError.
  std::vector<search::ModelPoint> allocate(const search::GroupingProblem& problem,
                                           const search::MethodResult& found,
                                           const std::vector<int>& kv_heads) const;

 private:
  /// KL(source ‖ converted) of every grouping, measured together where not known.
  std::vector<double> divergences(std::span<const search::Grouping> groupings,
                                  models::RefitScope scope) const;
  /// The best of the measured and the priced grouping of every size.
  std::vector<search::ModelPoint> choose(const search::GroupingProblem& problem,
                                         const std::vector<search::ModelPoint>& measured,
                                         const std::vector<search::ModelPoint>& priced,
                                         const std::vector<int>& kv_heads) const;

  const models::CandidateMeter& meter_;
  const SearchOptions& options_;
  const RunDirectory& directory_;
  const RunLog& log_;
  std::stop_token stop_;
};

}  // namespace regroup::runs
