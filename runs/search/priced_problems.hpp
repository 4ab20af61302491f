#pragma once

#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "runs/points/run_points.hpp"
#include "runs/search/search_inputs.hpp"
#include "search/base/progress.hpp"
#include "search/exact/free_widths.hpp"
#include "search/problem/problem.hpp"

namespace regroup::runs {

/// The run's problem, priced by its own fitness (by any, where that is measured), and the prices of
/// the others that cost no more data: what the report compares.
struct PricedProblems {
  std::vector<std::pair<std::string, search::GroupingProblem>>
      all;  ///< in the fitness table's order
  std::size_t own = 0;
  /// The run's problem in groups of each width that it looks at, the narrowest first.
  std::vector<search::GroupingProblem> by_width = {};
  /// What free widths cost, where the run looks at these.
  std::vector<search::LayerCurves> curves = {};

  /// In groups as wide as a head.
  const search::GroupingProblem& problem() const { return all[own].second; }
  /// The one priced by a fitness; null if it is not there.
  const search::GroupingProblem* find(std::string_view fitness) const;
};

/// Prices the model by every fitness that has what it needs; `calibration` is null where nothing
/// was calibrated. Throws Interrupted on `stop`.
PricedProblems price(const SearchPlan& plan, const SearchInputs& inputs,
                     const models::Calibration* calibration, std::stop_token stop,
                     search::Progress& progress);

/// The model of a run that deals free widths.
search::FreeWidthModel free_width_model(const SearchInputs& inputs);
/// The step between its widths: whole blocks where caches in blocks are measured.
int free_width_step(const SearchPlan& plan, const search::FreeWidthModel& model, int layers);

/// Gives every point its price by each fitness that knows its groups' widths.
void fill_proxies(std::vector<RunPoint>& points, const PricedProblems& problems);

}  // namespace regroup::runs
