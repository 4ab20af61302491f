#pragma once

#include <filesystem>
#include <memory>

#include "models/pretrained/pretrained_model.hpp"
#include "search/groupings/grouping.hpp"

namespace regroup::models {

class WeightOverlay;

/// Writes the merged layers of an overlay, so that a training that goes on need not fit them anew.
/// Throws WorkError.
void write_merged(const std::filesystem::path& file, const PretrainedModel& model,
                  const WeightOverlay& overlay, const std::filesystem::path& temporary_directory);
/// Reads them for the grouping. Throws InputError for another model's.
std::shared_ptr<const WeightOverlay> read_merged(const std::filesystem::path& file,
                                                 const PretrainedModel& model,
                                                 const search::Grouping& grouping);

}  // namespace regroup::models
