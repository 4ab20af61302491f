#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <stop_token>
#include <string>

#include "models/grouping/grouping_file.hpp"
#include "models/language_model/language_model.hpp"
#include "models/layouts/layout.hpp"
#include "search/base/progress.hpp"

namespace regroup::apps {

/// `--grouping` and `--calibration` of commands that run a model or a grouped version of it.
class GroupingOption {
 public:
  void declare(CLI::App& command);
  /// --rotate-cache as well.
  void declare_rotation(CLI::App& command);

  bool is_given() const { return !file_.empty(); }
  const std::string& file() const { return file_; }
  /// What a model of that config stores per token, in key and value heads of the source, after
  /// `read`.
  double size(const models::ModelConfig& config) const {
    return grouping_ ? grouping_->grouping.size() : models::stored_size(config);
  }
  /// Reads the grouping, if given, and checks it against the model. Throws as
  /// `models::read_grouping_file`.
  void read(const models::PretrainedModel& model);
  /// The source with what was read; the source itself where nothing was given. Throws as
  /// `runs::grouped_layers`.
  models::LanguageModel apply(const models::LanguageModel& source, std::stop_token stop,
                              search::Progress& progress) const;

 private:
  std::string file_;
  std::string calibration_;
  bool rotates_cache_ = false;
  std::optional<models::GroupingFile> grouping_;
};

/// Declares --rotate-cache, bound to `rotates`.
void declare_rotation(CLI::App& command, bool& rotates);
/// Declares --calibration for groupings whose recipe needs one.
void declare_calibration(CLI::App& command, std::string& file);

}  // namespace regroup::apps
