#pragma once

#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "runs/points/run_points.hpp"
#include "runs/search/search_inputs.hpp"
#include "search/base/progress.hpp"
#include "search/problem/problem.hpp"

namespace regroup::runs {

/// The run's problem, priced by its own fitness (by any, where that is measured), and the prices of
/// the others that cost no more data: what the report compares.
struct PricedProblems {
  std::vector<std::pair<std::string, search::GroupingProblem>>
      all;  ///< in the fitness table's order
  std::size_t own = 0;

  const search::GroupingProblem& problem() const { return all[own].second; }
  /// The one priced by a fitness; null if it is not there.
  const search::GroupingProblem* find(std::string_view fitness) const;
};

/// Prices the model by every fitness that has what it needs; `calibration` is null where nothing
/// was calibrated. Throws Interrupted on `stop`.
PricedProblems price(const SearchPlan& plan, const SearchInputs& inputs,
                     const models::Calibration* calibration, std::stop_token stop,
                     search::Progress& progress);

/// Gives every point its price by each fitness.
void fill_proxies(std::vector<RunPoint>& points, const PricedProblems& problems);

}  // namespace regroup::runs
