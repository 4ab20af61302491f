#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "runs/search/search_inputs.hpp"

namespace regroup::runs {

/// The windows that a run worked on, given or sampled; absent where none were needed.
struct RunTexts {
  std::optional<models::Windows> calibration;
  std::optional<models::Windows> selection;
  std::optional<models::Windows> eval;
};

/// The part of run.json that the same run always writes alike: options, seed, versions, the model
/// and the data with their hashes.
nlohmann::ordered_json run_record(const SearchPlan& plan, const SearchInputs& inputs,
                                  const RunTexts& texts, std::size_t evaluations);

/// The whole of run.json: `record` with the calibration file as run.json names it, command line,
/// paths, threads, device and times.
nlohmann::ordered_json finished_record(nlohmann::ordered_json record, const SearchPlan& plan,
                                       const std::optional<models::CalibrationReference>& file,
                                       const std::map<std::string, double>& seconds);

}  // namespace regroup::runs
