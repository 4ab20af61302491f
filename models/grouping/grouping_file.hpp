#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "models/pretrained/pretrained_model.hpp"
#include "models/recipes/merge_recipe.hpp"
#include "search/groupings/grouping.hpp"

namespace regroup::models {

/// The calibration that a grouping names: merges and refits of the same file give the same model.
struct CalibrationReference {
  std::string file;    ///< as the grouping JSON says it: relative to itself, or absolute
  std::string sha256;  ///< of the file; empty: not stated
};

/// A grouping JSON, version 1 or, where groups have widths of their own, 2
/// (schemas/grouping.schema.json).
struct GroupingFile {
  search::Grouping grouping;
  MergeRecipe recipe;
  std::optional<CalibrationReference> calibration;
};

/// Where a grouping came from and what was measured of it, for the optional parts of the file.
struct GroupingNotes {
  nlohmann::ordered_json objectives = nlohmann::ordered_json::object();  ///< {"wse": …}
  std::string method;
  std::string fitness;
  std::uint64_t seed = 0;
  std::optional<CalibrationReference> calibration;
};

/// Reads a grouping JSON for `model`. Optional fields are checked only where present; unknown ones
/// are ignored. Throws InputError, each with a message of its own: broken JSON, another format or
/// version, layers missing, doubled or out of range, heads overlapping, missing or out of range,
/// another model's file (both models named), a merge or refit that is not known or a renorm that
/// the merge does not take, an allocation that does not fit the model, its groups or the merge, a
/// KV size that is not that of the groups.
GroupingFile read_grouping_file(const std::filesystem::path& file, const PretrainedModel& model);

/// What identifies a model in the files of a run: name, architecture, counts, hash of the weights.
nlohmann::ordered_json model_identity(const PretrainedModel& model);

/// The text of a grouping JSON for `model`, one line a layer, ending in a line break. Equal
/// arguments give equal bytes.
std::string grouping_text(const search::Grouping& grouping, const MergeRecipe& recipe,
                          const PretrainedModel& model, const GroupingNotes& notes);

/// The text of a grouping JSON that another tool's file gave: the layers; with a model its identity
/// and the KV size, with an operator "merge". Equal arguments give equal bytes.
std::string imported_grouping_text(const search::Grouping& grouping, const PretrainedModel* model,
                                   const MergeOperator* merge);

}  // namespace regroup::models
