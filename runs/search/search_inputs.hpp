#pragma once

#include <memory>
#include <optional>

#include "models/inputs/dataset.hpp"
#include "models/language_model/language_model.hpp"
#include "runs/base/run_log.hpp"
#include "runs/inputs/calibration_input.hpp"
#include "runs/plan/search_plan.hpp"
#include "search/groupings/grouping.hpp"
#include "search/groupings/grouping_rules.hpp"

namespace regroup::runs {

/// Everything a search reads, opened and checked before anything is computed or written.
struct SearchInputs {
  std::shared_ptr<const models::PretrainedModel> model;
  std::optional<CalibrationInput> calibration;
  std::string calibration_sha256 = {};                 ///< of the file of `calibration`
  std::optional<models::Windows> calibration_windows;  ///< of `calibration`
  std::optional<models::Dataset> selection;
  std::optional<models::Dataset> uptrain;  ///< what points are trained on, where given
  /// Of `selection`, or the last quarter of the calibration text's, which then lacks them.
  std::optional<models::Windows> selection_windows;
  std::optional<models::Dataset> eval;
  std::optional<models::Windows> eval_windows;  ///< of `eval`
  search::GroupingRules rules;                  ///< that the result must follow
  std::vector<double> kv_limits;  ///< that the run answers, ascending; none: the whole front
  std::vector<search::Grouping> seeds;
  std::optional<models::LanguageModel> language_model;  ///< where the model is to be run
  models::ComputeOptions compute = {};  ///< the plan's, with a scratch where the run has one

  /// Whether selection data were split from the calibration text.
  bool splits_calibration() const { return selection_windows && !selection; }
  /// Whether any text was joined of documents.
  bool joins_documents() const;
  int source_kv_heads() const { return 2 * model->config.kv_heads * model->config.layers; }
};

/// Opens and checks the inputs of a search of `model`. Throws InputError: whatever the readers
/// refuse, the same data for two of calibration, selection and evaluation, a KV limit below the
/// smallest reachable size, a model that cannot write the text that is missing.
SearchInputs open_inputs(const SearchPlan& plan, const RunLog& log,
                         std::shared_ptr<const models::PretrainedModel> model);

/// Content hashes of the inputs by role, for run.json and for telling runs apart.
nlohmann::ordered_json data_hashes(const SearchPlan& plan, const SearchInputs& inputs);

}  // namespace regroup::runs
