#pragma once

#include <Eigen/Core>
#include <memory>
#include <optional>
#include <stop_token>
#include <vector>

#include "runs/directory/run_directory.hpp"
#include "runs/search/search_inputs.hpp"
#include "search/costs/key_grams.hpp"

namespace regroup::runs {

/// What a run knows of the source model's activations; absent what it does not need.
struct RunStatistics {
  std::shared_ptr<const models::Calibration> calibration;
  /// The file that holds it, of the run or one that was given: as the run's groupings name it, …
  std::optional<models::CalibrationReference> named_by_groupings;
  std::optional<models::CalibrationReference> named_by_run;  ///< … and as run.json does
  std::optional<search::KeyGrams> key_grams;

  const search::KeyGrams* key_grams_or_null() const { return key_grams ? &*key_grams : nullptr; }
};

/// Moments on the calibration windows, with gradients where the plan needs them: from the
/// calibration file that is given, which the run only refers to, from the run's own
/// calibration.safetensors if a resumed run finds it there, or measured and written to it. And the
/// products of keys where the method needs them. Labels of the gradients are drawn with `key`.
/// Throws Interrupted, WorkError.
RunStatistics calibrate(const models::Windows& windows, const SearchPlan& plan,
                        const SearchInputs& inputs, const RunDirectory& directory,
                        search::RandomKey key, std::stop_token stop, search::Progress& progress);

/// Distances between the heads of every unit, where the method uses them. Throws Interrupted.
std::vector<Eigen::MatrixXd> method_distances(const SearchPlan& plan, const SearchInputs& inputs,
                                              const models::Calibration* calibration,
                                              std::stop_token stop, search::Progress& progress);

}  // namespace regroup::runs
