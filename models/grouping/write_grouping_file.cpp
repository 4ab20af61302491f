#include <fmt/format.h>

#include "models/files/json_file.hpp"
#include "models/grouping/group_widths.hpp"
#include "models/grouping/grouping_file.hpp"
#include "models/grouping/grouping_layers.hpp"
#include "regroup/version.hpp"

namespace regroup::models {
namespace {

using nlohmann::ordered_json;

ordered_json kv_json(const search::Grouping& grouping, const PretrainedModel& model) {
  return {{"ratio", grouping.kv_ratio()},
          {"bytes_per_token", kv_bytes_per_token(model.config, grouping.size(), model.dtype)},
          {"dtype", config_name(model.dtype)}};
}

std::vector<int> group_numbers(const std::vector<search::Group>& groups) {
  std::vector<int> numbers;
  for (const search::Group group : groups) numbers.push_back(group.value());
  return numbers;
}

/// One line a layer; `config` of the model where it is known, for the names of layers.
std::string layer_lines(const search::Grouping& grouping, const ModelConfig* config) {
  std::string lines;
  for (std::size_t i = 0; i < grouping.layers.size(); ++i) {
    const search::LayerGrouping& groups = grouping.layers[i];
    ordered_json layer = {{"index", i},
                          {"key_groups", groups.keys.member_ids()},
                          {"value_groups", groups.values.member_ids()}};
    const std::string name = config == nullptr ? "" : layer_name(*config, static_cast<int>(i));
    if (!name.empty()) layer["name"] = name;
    if (groups.has_allocation()) layer["query_to_group"] = group_numbers(groups.query_to_group);
    if (groups.widths) write_widths(*groups.widths, layer);
    lines += fmt::format("{}    {}", i == 0 ? "" : ",\n", json_text(layer));
  }
  return lines;
}

/// What every grouping file begins with, up to the end of its layers.
std::string head_text(const search::Grouping& grouping, const PretrainedModel* model) {
  std::string text = fmt::format("{{\n  \"format\": \"regroup.grouping\",\n  \"version\": {},\n",
                                 grouping.has_widths() ? kWideGroupingVersion : kGroupingVersion);
  if (model != nullptr) {
    text += fmt::format("  \"model\": {},\n", json_text(model_identity(*model)));
  }
  const ModelConfig* config = model == nullptr ? nullptr : &model->config;
  return text + fmt::format("  \"layers\": [\n{}\n  ]", layer_lines(grouping, config));
}

}  // namespace

nlohmann::ordered_json model_identity(const PretrainedModel& model) {
  return {{"name", model.name()},
          {"architecture", model.config.architecture},
          {"layers", model.config.layers},
          {"query_heads", model.config.query_heads},
          {"kv_heads", model.config.kv_heads},
          {"head_dim", model.config.head_dim},
          {"weights_sha256", model.checkpoint.weights_sha256()}};
}

std::string grouping_text(const search::Grouping& grouping, const MergeRecipe& recipe,
                          const PretrainedModel& model, const GroupingNotes& notes) {
  const ordered_json provenance = {{"method", notes.method},
                                   {"fitness", notes.fitness},
                                   {"seed", notes.seed},
                                   {"regroup", kProgramVersion}};
  std::string text = head_text(grouping, &model) + ",\n";
  text += fmt::format("  \"merge\": {},\n", json_text(ordered_json(recipe.merge->name())));
  text += fmt::format("  \"renorm\": {},\n  \"refit\": \"{}\",\n", recipe.renorm,
                      refit_name(recipe.refit));
  if (recipe.reconstruction_steps > 0) {
    text += fmt::format("  \"reconstruct\": {},\n", recipe.reconstruction_steps);
  }
  if (notes.calibration) {
    const ordered_json calibration = {{"file", notes.calibration->file},
                                      {"sha256", notes.calibration->sha256}};
    text += fmt::format("  \"calibration\": {},\n", json_text(calibration));
  }
  text += fmt::format("  \"kv\": {},\n", json_text(kv_json(grouping, model)));
  text += fmt::format("  \"objectives\": {},\n", json_text(notes.objectives));
  text += fmt::format("  \"provenance\": {}\n}}\n", json_text(provenance));
  return text;
}

std::string imported_grouping_text(const search::Grouping& grouping, const PretrainedModel* model,
                                   const MergeOperator* merge) {
  std::string text = head_text(grouping, model);
  if (merge != nullptr) {
    text += fmt::format(",\n  \"merge\": {}", json_text(ordered_json(merge->name())));
  }
  if (model != nullptr) {
    text += fmt::format(",\n  \"kv\": {}", json_text(kv_json(grouping, *model)));
  }
  return text + "\n}\n";
}

}  // namespace regroup::models
