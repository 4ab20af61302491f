#pragma once

#include <filesystem>
#include <memory>
#include <stop_token>

#include "models/grouping/grouping_file.hpp"
#include "models/language_model/language_model.hpp"
#include "search/base/progress.hpp"

namespace regroup::models {
class WeightOverlay;
}

namespace regroup::runs {

/// A grouping as a command was given it.
struct GivenGrouping {
  const models::GroupingFile& grouping;
  std::filesystem::path file;         ///< that it was read from
  std::filesystem::path calibration;  ///< --calibration; empty: what the file names
};

/// The fitted layers that the run of a grouping file kept (KeptWeights), where the file lies in
/// RUN/groupings and nothing else is to be calibrated on; null: there are none. Throws InputError
/// for a broken file.
std::shared_ptr<const models::WeightOverlay> kept_layers(const GivenGrouping& given,
                                                         const models::PretrainedModel& model);

/// The layers that a grouping makes of the model: those kept, else merged and fitted anew. Throws
/// as `kept_layers`, `calibration_of` and `models::Merger::merge`.
std::shared_ptr<const models::WeightOverlay> grouped_layers(const GivenGrouping& given,
                                                            const models::LanguageModel& source,
                                                            std::stop_token stop,
                                                            search::Progress& progress);

}  // namespace regroup::runs
