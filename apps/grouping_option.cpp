#include "apps/grouping_option.hpp"

#include <utility>

#include "models/overlay/rotated_cache.hpp"
#include "runs/inputs/grouped_layers.hpp"

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

void declare_rotation(CLI::App& command, bool& rotates) {
  command.add_flag(
      "--rotate-cache", rotates,
      "Turn keys and values by Hadamard matrices, folded into the weights, before they "
      "are cached: quantised caches lose less; values always, keys among rows that "
      "the position encoding allows");
}

void GroupingOption::declare_rotation(CLI::App& command) {
  apps::declare_rotation(command, rotates_cache_);
}

void GroupingOption::read(const models::PretrainedModel& model) {
  if (is_given()) grouping_ = models::read_grouping_file(file_, model);
}

models::LanguageModel GroupingOption::apply(const models::LanguageModel& source,
                                            std::stop_token stop,
                                            search::Progress& progress) const {
  if (!grouping_ && !rotates_cache_) return source;
  std::shared_ptr<const models::WeightOverlay> overlay;
  if (grouping_) {
    overlay =
        runs::grouped_layers({*grouping_, file_, calibration_}, source, std::move(stop), progress);
  }
  if (!rotates_cache_) return source.with_overlay(*overlay);
  return source.with_overlay(*models::rotated_for_cache(source.shared_pretrained(), overlay.get()));
}

}  // namespace regroup::apps
