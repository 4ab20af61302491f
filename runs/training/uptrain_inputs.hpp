#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "models/grouping/grouping_file.hpp"
#include "models/inputs/dataset.hpp"
#include "runs/base/run_log.hpp"
#include "runs/training/uptrain_request.hpp"

namespace regroup::runs {

/// What a training reads, opened and checked.
struct UptrainInputs {
  std::shared_ptr<const models::PretrainedModel> model;
  std::shared_ptr<const models::PretrainedModel> teacher;  ///< null: the model
  models::GroupingFile grouping;
  models::Dataset data;
  models::Windows windows;
  std::optional<models::Dataset> validation;
  std::optional<models::Windows> measured;
};

/// Opens and checks everything that the request names. A model that begins from nothing is written
/// into `state/start` of the output first. Throws InputError.
UptrainInputs open_uptrain_inputs(const UptrainRequest& request, const RunLog& log);

/// What a run that goes on must have in common with the one before.
nlohmann::ordered_json uptrain_identity(UptrainRequest request, const UptrainInputs& inputs);

/// What a record says of data.
nlohmann::ordered_json training_data_record(const models::Dataset& data,
                                            const models::Windows& windows);

}  // namespace regroup::runs
