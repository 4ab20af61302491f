#include <fmt/format.h>

#include <cmath>

#include "models/files/json_fields.hpp"
#include "models/files/json_file.hpp"
#include "models/files/printable.hpp"
#include "models/grouping/grouping_file.hpp"
#include "models/grouping/grouping_layers.hpp"
#include "models/merge/operators/merge_table.hpp"
#include "models/recipes/merge_recipe.hpp"
#include "models/recipes/mergeable.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

using nlohmann::json;

[[noreturn]] void refuse_model(const std::string& where, const std::string& expected,
                               const std::string& found) {
  throw InputError({.what = "grouping is for another model",
                    .where = where,
                    .expected = expected,
                    .found = found});
}

/// Compares one of the model's sizes where the file states it.
void require_size(const json& stated, std::string_view key, int actual, const std::string& names,
                  const std::string& where) {
  const auto found = optional_int(stated, key, where, 0, std::int64_t{1} << 40);
  if (!found || *found == actual) return;
  refuse_model(where, fmt::format("{} with {} {}", names, key, actual),
               fmt::format("{} {}", key, *found));
}

void require_model(const json& document, const PretrainedModel& model, const std::string& file) {
  const json* stated = optional_object(document, "model", file);
  if (stated == nullptr) return;
  const std::string where = field_of(file, "model");
  const auto sha256 = optional_string(*stated, "weights_sha256", where);
  const std::string other = printable(optional_string(*stated, "name", where).value_or("unnamed"));
  const bool same_weights = sha256 && *sha256 == model.checkpoint.weights_sha256();
  const std::string names = fmt::format("{} (this file: {})", model.name(), other);
  const auto architecture = optional_string(*stated, "architecture", where);
  if (architecture && *architecture != model.config.architecture) {
    refuse_model(where, fmt::format("{}, {}", names, model.config.architecture),
                 printable(*architecture));
  }
  require_size(*stated, "layers", model.config.layers, names, where);
  require_size(*stated, "query_heads", model.config.query_heads, names, where);
  require_size(*stated, "kv_heads", model.config.kv_heads, names, where);
  require_size(*stated, "head_dim", model.config.head_dim, names, where);
  if (sha256 && !same_weights) {
    refuse_model(where,
                 fmt::format("{}, weights {:.16}…", names, model.checkpoint.weights_sha256()),
                 fmt::format("weights {:.16}…", printable(*sha256)));
  }
  // A directory may be renamed: the name counts only where nothing better is known.
  if (!sha256 && stated->contains("name") && other != model.name()) {
    refuse_model(where, model.name(), other);
  }
}

/// How the file says that heads are merged. Throws InputError as GroupingFile's reader.
MergeRecipe read_recipe(const json& document, const std::string& where) {
  MergeRecipe recipe(find_merge(optional_string(document, "merge", where).value_or("mean")));
  recipe.renorm = optional_bool(document, "renorm", where).value_or(false);
  recipe.refit = find_refit(optional_string(document, "refit", where).value_or("none"));
  recipe.reconstruction_steps = static_cast<int>(
      optional_int(document, "reconstruct", where, 0, kMostReconstructionSteps).value_or(0));
  require_valid(recipe);
  return recipe;
}

std::optional<CalibrationReference> read_calibration_reference(const json& document,
                                                               const std::string& where) {
  const json* calibration = optional_object(document, "calibration", where);
  if (calibration == nullptr) return std::nullopt;
  const std::string place = field_of(where, "calibration");
  return CalibrationReference{required_string(*calibration, "file", place),
                              optional_string(*calibration, "sha256", place).value_or("")};
}

void require_kv_size(const json& document, const search::Grouping& grouping,
                     const std::string& file) {
  const json* kv = optional_object(document, "kv", file);
  if (kv == nullptr) return;
  constexpr double kRounding = 1e-6;
  const std::string where = field_of(file, "kv");
  const auto ratio = optional_number(*kv, "ratio", where, 0, 1);
  if (!ratio || std::abs(*ratio - grouping.kv_ratio()) <= kRounding) return;
  throw InputError({.what = "KV size is not that of the groups",
                    .where = field_of(where, "ratio"),
                    .expected = fmt::format("{}", grouping.kv_ratio()),
                    .found = fmt::format("{}", *ratio)});
}

}  // namespace

GroupingFile read_grouping_file(const std::filesystem::path& file, const PretrainedModel& model) {
  const json document = read_json_file(file);
  const std::string where = file.string();
  require_grouping_json(document, where);
  require_model(document, model, where);
  require_equal_layers(model);
  GroupingFile result{read_layers(document, HeadCounts::of(model.config), where),
                      read_recipe(document, where), read_calibration_reference(document, where)};
  require_mergeable(result.grouping, result.recipe, model.config);
  require_kv_size(document, result.grouping, where);
  return result;
}

}  // namespace regroup::models
