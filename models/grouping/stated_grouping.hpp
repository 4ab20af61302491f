#pragma once

#include <filesystem>

#include "models/grouping/head_counts.hpp"
#include "search/groupings/grouping.hpp"

namespace regroup::models {

/// The groups of a grouping JSON, and what the file says of the model that they are for.
struct StatedGrouping {
  search::Grouping grouping;
  HeadCounts heads;  ///< of "model" where it says them, else of the groups; queries may be unknown
};

/// Reads the groups of a grouping JSON without a model to compare with; how heads are merged is not
/// looked at. Throws InputError as read_grouping_file does of layers and groups.
StatedGrouping read_stated_grouping(const std::filesystem::path& file);

}  // namespace regroup::models
