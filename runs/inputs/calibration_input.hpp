#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "models/grouping/grouping_file.hpp"
#include "models/inputs/dataset.hpp"
#include "models/language_model/language_model.hpp"
#include "search/base/progress.hpp"

namespace regroup::runs {

/// What `--calibration` names: statistics of the model that were made before, or the data to make
/// them of.
struct CalibrationInput {
  std::filesystem::path file;
  std::shared_ptr<const models::Calibration> statistics;  ///< of a calibration file, else null
  std::optional<models::Dataset> data;                    ///< else
  std::optional<models::Windows> windows;                 ///< of either

  /// SHA-256 of the data, also where only their statistics are given.
  const std::string& data_sha256() const;
  /// SHA-256 of what was given, data or statistics. Reads a file of statistics.
  std::string content_sha256() const;
};

/// Opens and checks a calibration file, text, documents or token ids; data are cut into the model's
/// windows. Throws InputError.
CalibrationInput open_calibration(const std::filesystem::path& file,
                                  const models::PretrainedModel& model,
                                  models::DocumentJoin join = models::DocumentJoin::kEnd);

/// Measures moments on windows and says on the log's progress what it does. `gradients`: labels
/// are drawn with that key. Throws as LanguageModel::calibrate.
models::Calibration make_calibration(const models::LanguageModel& model,
                                     const models::Windows& windows, std::string data_sha256,
                                     std::optional<search::RandomKey> gradients,
                                     std::stop_token stop, search::Progress& progress);

/// What a calibration file holds, if it is there and was made of the same model, data and windows
/// with the same labels; else nothing.
std::optional<models::Calibration> reusable_calibration(
    const std::filesystem::path& file, const models::PretrainedModel& model,
    const models::Windows& windows, const std::string& data_sha256,
    const std::optional<search::RandomKey>& gradients);

/// A calibration file as a file in `folder`, which is there, names it: by the path from there.
models::CalibrationReference reference_from(const std::filesystem::path& folder,
                                            const std::filesystem::path& file, std::string sha256);

/// The calibration that a grouping's recipe needs, or null if it needs none: from `option`
/// (--calibration) where given, else from the file that the grouping names, whose hash must be the
/// stated one. Throws InputError if it is nowhere.
std::shared_ptr<const models::Calibration> calibration_of(
    const models::GroupingFile& grouping, const std::filesystem::path& grouping_file,
    const std::filesystem::path& option, const models::LanguageModel& model, std::stop_token stop,
    search::Progress& progress);

}  // namespace regroup::runs
