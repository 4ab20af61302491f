#include "apps/convert/model_card.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "models/layouts/converted_config.hpp"
#include "regroup/version.hpp"

namespace regroup::apps {
namespace {

using models::LayerHeads;
using models::Layout;

/// Numbers of heads: "8" where they are the same everywhere, else one for each layer.
std::string heads_text(const std::vector<LayerHeads>& heads, int LayerHeads::*count) {
  std::vector<int> counts;
  bool are_equal = true;
  for (const LayerHeads& layer : heads) {
    counts.push_back(layer.*count);
    are_equal = are_equal && counts.back() == counts.front();
  }
  return are_equal ? std::to_string(counts.front()) : fmt::format("{}", fmt::join(counts, ", "));
}

/// What a loss is a mean over.
const char* unit_of(const models::ModelConfig& config) {
  if (config.kind == models::ModelKind::kText) return "text";
  return config.kind == models::ModelKind::kImage ? "image" : "token";
}

/// Widths of keys and values, where any is not the source's.
std::string widths_rows(const models::ModelConfig& config, const std::vector<LayerHeads>& heads) {
  const bool are_own = std::ranges::all_of(heads, [&](const LayerHeads& layer) {
    return layer.key_width == config.head_dim && layer.value_width == config.head_dim;
  });
  if (are_own) return "";
  return fmt::format("| width of a key | {0} | {1} |\n| width of a value | {0} | {2} |\n",
                     config.head_dim, heads_text(heads, &LayerHeads::key_width),
                     heads_text(heads, &LayerHeads::value_width));
}

std::string sizes_table(const models::PretrainedModel& model, const std::vector<LayerHeads>& heads,
                        models::DType dtype, const std::optional<MeasuredGrouping>& measured) {
  const models::ModelConfig& config = model.config;
  const char* unit = unit_of(config);
  const auto bytes = [&](double size) { return models::kv_bytes_per_token(config, size, dtype); };
  std::string table = "| | source | this model |\n| --- | --- | --- |\n";
  table +=
      fmt::format("| KV cache, bytes per token in {} | {} | {} |\n", models::config_name(dtype),
                  bytes(models::stored_size(config)), bytes(models::stored_size(heads, config)));
  table += fmt::format("| key/value heads of a layer | {} | {} |\n", config.kv_heads,
                       heads_text(heads, &LayerHeads::kv));
  table += widths_rows(config, heads);
  table += fmt::format("| query heads of a layer | {} | {} |\n", config.query_heads,
                       heads_text(heads, &LayerHeads::query));
  if (!measured) return table;
  table +=
      fmt::format("| loss, nats per {} | {:.4f} | {:.4f} ({:+.4f}) |\n", unit,
                  measured->source_loss, measured->loss, measured->loss - measured->source_loss);
  if (measured->divergence) {
    table += fmt::format("| KL(source ‖ this model), nats per {} | | {:.4f} |\n", unit,
                         *measured->divergence);
  }
  return table;
}

std::string measured_text(const std::optional<MeasuredGrouping>& measured, const char* unit) {
  if (!measured) return "Its loss was not measured when it was made.\n";
  std::string text = fmt::format("Losses were measured on {} {}s", measured->tokens, unit);
  if (measured->context) text += fmt::format(" in windows of {}", *measured->context);
  if (measured->is_sampled) text += ", text that the source model wrote";
  if (!measured->data_sha256.empty()) text += fmt::format(" (SHA-256 {})", measured->data_sha256);
  return text + ".\n";
}

std::string method_text(const GroupingOrigin& origin, const models::GroupingFile& grouping) {
  std::string text = "* Grouping: ";
  if (origin.method.empty()) {
    text += "given by hand";
  } else {
    text += fmt::format("found by {}", origin.method);
    if (!origin.fitness.empty()) text += fmt::format(", priced by {}", origin.fitness);
  }
  return text + fmt::format("\n* Heads merged: {}\n", grouping.recipe.name());
}

/// How the attention projections became what they are.
std::string fitting_text(const models::MergeRecipe& recipe) {
  if (recipe.reconstruction_steps == 0) {
    return "merged in closed form; nothing was trained";
  }
  return fmt::format(
      "merged in closed form and then fitted, layer by layer, to the source's by {} gradient steps "
      "on calibration text",
      recipe.reconstruction_steps);
}

std::string engines_text(const models::PretrainedModel& model, Layout layout,
                         const std::vector<LayerHeads>& heads) {
  const double more_queries = query_work(model.config, heads) - 1;
  std::string text;
  if (more_queries > 0) {
    text += fmt::format(
        "Groups of unequal sizes are filled up with query heads of zeros: {:.1f} % more query "
        "heads are computed, the cache holds none of them. ",
        100 * more_queries);
  }
  if (layout == Layout::kExpand) {
    text += "Keys and values are repeated, so that no engine saves memory by them. ";
  }
  if (models::are_stock(layout, heads, model.config))
    return text + "Any engine that runs the source runs this model.\n";
  text +=
      "Layers have heads of their own: load it in transformers with "
      "`trust_remote_code=True`. ";
  if (models::is_nemotron(layout, model.config, heads)) {
    return text + "The keys in `config.json` are those of Nemotron-NAS (`block_configs`).\n";
  }
  return text +
         "Engines that know Nemotron-NAS by themselves do not run it: they derive its sizes "
         "otherwise.\n";
}

std::string front_matter(const models::PretrainedModel& model, const std::string& licence) {
  std::string text = fmt::format("---\n{}base_model: {}\n", licence, model.name());
  const bool writes_text = model.config.kind == models::ModelKind::kCausal && model.config.has_head;
  if (writes_text) text += "pipeline_tag: text-generation\n";
  return text + "library_name: transformers\ntags:\n- regroup\n- kv-cache\n---\n\n";
}

}  // namespace

double query_work(const models::ModelConfig& config, const std::vector<LayerHeads>& heads) {
  double total = 0;
  for (const LayerHeads& layer : heads) total += layer.query;
  return total / (static_cast<double>(config.query_heads) * static_cast<double>(heads.size()));
}

std::string model_card(const models::PretrainedModel& model, const models::GroupingFile& grouping,
                       const std::filesystem::path& grouping_file, Layout layout,
                       models::DType dtype) {
  const std::vector<LayerHeads> heads = models::stored_heads(
      layout, models::head_maps(grouping.grouping, model.config), model.config);
  const GroupingOrigin origin = origin_of(grouping_file);
  const std::string licence = source_licence(model.checkpoint.directory());
  std::string text = front_matter(model, licence);
  text +=
      fmt::format("# {}, {:.4g} of its KV heads\n\n", model.name(), grouping.grouping.kv_ratio());
  text += fmt::format(
      "{} with key and value heads shared, made by regroup {}. Its weights are those of the source "
      "but for the attention projections, which were {}.\n\n",
      model.name(), kProgramVersion, fitting_text(grouping.recipe));
  text += sizes_table(model, heads, dtype, origin.measured) + "\n" +
          measured_text(origin.measured, unit_of(model.config)) + "\n";
  text += method_text(origin, grouping);
  text += fmt::format("* Layout: {}\n* Command: `regroup convert {} --grouping {} --layout {}`\n",
                      models::layout_name(layout), model.name(), grouping_file.filename().string(),
                      models::layout_name(layout));
  text += fmt::format("* Source weights: SHA-256 {}\n\n", model.checkpoint.weights_sha256());
  text += engines_text(model, layout, heads);
  text += licence.empty() ? "\nThe source states no licence in its card.\n"
                          : "\nThe licence is the source's.\n";
  return text;
}

}  // namespace regroup::apps
