#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "fitness/loss_estimate.hpp"
#include "models/inputs/window_score.hpp"
#include "models/language_model/trainer.hpp"

namespace regroup::runs {

/// What was measured on the validation data after some steps.
struct Validation {
  std::int64_t step = 0;
  fitness::LossEstimate loss;
  fitness::LossEstimate delta;  ///< against the source
  double divergence = 0;
  double accuracy = 0;
};
/// Of scores beside the source's.
Validation validation_of(std::int64_t step, const std::vector<models::WindowScore>& scores,
                         const std::vector<models::WindowScore>& source);

/// What a training did, step by step.
struct TrainingLog {
  std::vector<models::TrainingStep> steps;
  std::vector<double> seconds;          ///< that each step took
  std::vector<Validation> validations;  ///< the first before any step, if there are any
  std::optional<std::size_t> best;      ///< of the validations
};

/// train.csv: a row a step, ending in a line break each.
std::string training_csv(const TrainingLog& log, std::int64_t positions_of_step);

/// For a state that is gone on from, and back. Throws InputError for another text.
nlohmann::json log_json(const TrainingLog& log);
TrainingLog read_log(const nlohmann::json& json);

/// As train.json says it.
nlohmann::ordered_json validation_json(const Validation& validation);

}  // namespace regroup::runs
