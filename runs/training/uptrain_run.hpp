#pragma once

#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <stop_token>
#include <string>

#include "models/grouping/grouping_file.hpp"
#include "runs/base/run_log.hpp"
#include "runs/training/training_log.hpp"
#include "runs/training/uptrain_request.hpp"

namespace regroup::runs {

/// What a training came to.
struct UptrainResult {
  models::GroupingFile grouping;  ///< with the deals of training
  TrainingLog log;
  nlohmann::ordered_json record;  ///< train.json
};

/// Trains a model with merged heads and writes the directory: the model, train.csv and train.json,
/// grouping.json, the state. What a training directory holds: docs/formats.md. Everything is
/// checked before anything is trained or written. `write_page` makes report.html of what came out.
/// Throws InputError, WorkError with the last state whole, Interrupted.
UptrainResult run_uptrain(const UptrainRequest& request, const RunLog& log, std::stop_token stop,
                          const std::function<std::string(const UptrainResult&)>& write_page);

}  // namespace regroup::runs
