#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "models/pretrained/pretrained_model.hpp"
#include "search/groupings/grouping.hpp"

namespace regroup::models {

class WeightOverlay;

/// Writes the merged layers of an overlay, so that they need not be fitted anew, in the element
/// types that they have. `notes` is a text that goes with them. Throws WorkError.
void write_merged(const std::filesystem::path& file, const PretrainedModel& model,
                  const WeightOverlay& overlay, const std::string& notes,
                  const std::filesystem::path& temporary_directory);

/// What such a file holds.
struct KeptLayers {
  std::shared_ptr<const WeightOverlay> layers;
  std::string notes;
};
/// Opens it for the grouping; a layer is read when it is asked for. Throws InputError for another
/// file.
KeptLayers read_merged(const std::filesystem::path& file, const PretrainedModel& model,
                       const search::Grouping& grouping);

}  // namespace regroup::models
