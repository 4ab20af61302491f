#include "apps/grouping_option.hpp"

#include <utility>

#include "models/language_model/merger.hpp"
#include "runs/inputs/calibration_input.hpp"

namespace regroup::apps {

void declare_calibration(CLI::App& command, std::string& file) {
  command
      .add_option("--calibration", file,
                  "Text, token ids or a calibration file for a grouping whose merge needs one "
                  "(default: the file that the grouping names)")
      ->type_name("FILE");
}

void GroupingOption::declare(CLI::App& command) {
  command.add_option("--grouping", file_, "Grouping JSON to apply (default: none)")
      ->type_name("FILE");
  declare_calibration(command, calibration_);
}

void GroupingOption::read(const models::PretrainedModel& model) {
  if (is_given()) grouping_ = models::read_grouping_file(file_, model);
}

models::LanguageModel GroupingOption::apply(const models::LanguageModel& source,
                                            std::stop_token stop,
                                            search::Progress& progress) const {
  if (!grouping_) return source;
  const auto calibration =
      runs::calibration_of(*grouping_, file_, calibration_, source, stop, progress);
  return models::Merger(source, calibration)
      .merged_model(grouping_->grouping, grouping_->recipe, std::move(stop));
}

}  // namespace regroup::apps
