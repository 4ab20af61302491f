#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "models/grouping/grouping_file.hpp"
#include "models/pretrained/pretrained_model.hpp"
#include "runs/directory/run_directory.hpp"
#include "runs/plan/search_plan.hpp"
#include "runs/points/measure_points.hpp"
#include "runs/points/run_points.hpp"
#include "runs/points/uptrained_points.hpp"

namespace regroup::runs {

/// What front.json says of the run as a whole.
struct FrontSummary {
  std::optional<search::Certificate> certificate;  ///< absent where no prices were minimised
  std::optional<SourceMeasures> source;            ///< absent if nothing was measured
  /// What merges were fitted on, for the grouping files; absent where nothing was calibrated.
  std::optional<models::CalibrationReference> calibration;
  std::optional<UptrainAgreement> uptrained = {};  ///< absent where there is no order to compare
};

/// Writes front.json, front.csv, groupings/*.json and, where other types of KV cache were measured,
/// caches.csv of a run; returns front.json's document.
nlohmann::ordered_json write_front(const std::vector<RunPoint>& points, const FrontSummary& summary,
                                   const SearchPlan& plan, const models::PretrainedModel& model,
                                   const RunDirectory& directory);

/// Path of a point's grouping file inside the run directory.
std::string grouping_path(const RunPoint& point);

/// proof.csv: one row for each unit and number of groups that an exact solver worked on.
std::string proof_csv(const std::vector<search::ProofRecord>& proofs);

/// history.csv: one row a generation.
std::string history_csv(const search::History& history);

}  // namespace regroup::runs
