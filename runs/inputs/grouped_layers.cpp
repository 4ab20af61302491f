#include "runs/inputs/grouped_layers.hpp"

#include <utility>

#include "models/language_model/merger.hpp"
#include "runs/directory/kept_weights.hpp"
#include "runs/inputs/calibration_input.hpp"

namespace regroup::runs {

std::shared_ptr<const models::WeightOverlay> kept_layers(const GivenGrouping& given,
                                                         const models::PretrainedModel& model) {
  const models::GroupingFile& grouping = given.grouping;
  const std::filesystem::path folder = std::filesystem::absolute(given.file).parent_path();
  const bool can_be_kept = given.calibration.empty() && grouping.calibration &&
                           !grouping.calibration->sha256.empty() &&
                           folder.filename() == "groupings";
  if (!can_be_kept) return nullptr;
  return KeptWeights(folder.parent_path(), model, grouping.calibration->sha256)
      .recall(grouping.grouping, grouping.recipe);
}

std::shared_ptr<const models::WeightOverlay> grouped_layers(const GivenGrouping& given,
                                                            const models::LanguageModel& source,
                                                            std::stop_token stop,
                                                            search::Progress& progress) {
  if (auto kept = kept_layers(given, source.pretrained())) return kept;
  const models::GroupingFile& grouping = given.grouping;
  const auto calibration =
      calibration_of(grouping, given.file, given.calibration, source, stop, progress);
  return models::Merger(source, calibration)
      .merge(grouping.grouping, grouping.recipe, std::move(stop));
}

}  // namespace regroup::runs
