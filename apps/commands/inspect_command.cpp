#include "apps/commands/inspect_command.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "apps/option_declaration.hpp"
#include "fitness/layer_grams.hpp"
#include "models/files/json_file.hpp"
#include "models/layouts/layout.hpp"
#include "runs/inputs/open_model.hpp"

namespace regroup::apps {
namespace {

using nlohmann::ordered_json;

/// The heads of one projection in a few numbers.
struct HeadSummary {
  double least_norm = 0;
  double greatest_norm = 0;
  double mean_cosine = 0;      ///< over pairs of heads
  double greatest_cosine = 0;  ///< of the closest pair
};

HeadSummary summarise(const Eigen::MatrixXd& gram) {
  const Eigen::VectorXd norms = gram.diagonal().cwiseMax(0).cwiseSqrt();
  HeadSummary summary{norms.minCoeff(), norms.maxCoeff(), 0, -1};
  const Eigen::Index n = gram.rows();
  for (Eigen::Index i = 0; i < n; ++i) {
    for (Eigen::Index j = 0; j < i; ++j) {
      const double scale = norms[i] * norms[j];
      const double cosine = scale > 0 ? gram(i, j) / scale : 0;
      summary.mean_cosine += cosine / (0.5 * static_cast<double>(n * (n - 1)));
      summary.greatest_cosine = std::max(summary.greatest_cosine, cosine);
    }
  }
  if (n == 1) summary.greatest_cosine = 0;
  return summary;
}

ordered_json summary_json(const HeadSummary& s) {
  return {{"least_norm", s.least_norm},
          {"greatest_norm", s.greatest_norm},
          {"mean_cosine", s.mean_cosine},
          {"greatest_cosine", s.greatest_cosine}};
}

std::string summary_columns(const HeadSummary& s) {
  return fmt::format("{:9.3f} {:9.3f} {:9.3f} {:9.3f}", s.least_norm, s.greatest_norm,
                     s.mean_cosine, s.greatest_cosine);
}

/// The cache at the setting that was asked for, and what fits into the budget.
ordered_json cache_json(const runs::CacheSetting& setting, const models::PretrainedModel& model) {
  const models::ModelConfig& c = model.config;
  const double source = models::stored_size(c);
  ordered_json json = {{"context", setting.tokens(c) / setting.batch},
                       {"batch", setting.batch},
                       {"bytes", runs::cache_bytes(setting, model, source)}};
  if (const auto fits = runs::kv_heads_in_budget(setting, model)) {
    json["budget_bytes"] = setting.budget->bytes;
    json["kv_ratio_within_budget"] = static_cast<double>(*fits) / source;
  }
  return json;
}

std::string cache_text(const runs::CacheSetting& setting, const models::PretrainedModel& model) {
  const ordered_json json = cache_json(setting, model);
  std::string text =
      fmt::format("  KV cache {} for {} x {} tokens", runs::size_text(json["bytes"].get<double>()),
                  setting.batch, json["context"].get<std::int64_t>());
  if (json.contains("budget_bytes")) {
    const double ratio = json["kv_ratio_within_budget"].get<double>();
    const int smallest = 2 * model.config.layers;
    const double least = 1.0 / model.config.kv_heads;
    text += fmt::format("; {} holds a KV ratio of {:.4f}", setting.budget->text, ratio);
    if (ratio < least) {
      text += fmt::format(", less than one group in every layer ({})",
                          runs::size_text(runs::cache_bytes(setting, model, smallest)));
    }
  }
  return text + "\n";
}

ordered_json document(const models::PretrainedModel& model, const runs::CacheSetting& setting,
                      const std::vector<fitness::LayerGrams>& grams) {
  const models::ModelConfig& c = model.config;
  ordered_json layers = ordered_json::array();
  for (std::size_t i = 0; i < grams.size(); ++i) {
    layers.push_back({{"index", i},
                      {"keys", summary_json(summarise(grams[i].keys))},
                      {"values", summary_json(summarise(grams[i].values))}});
  }
  ordered_json by_layer = ordered_json::array();
  for (int i = 0; i < c.layers; ++i) {
    const models::LayerHeads heads = c.heads(i);
    by_layer.push_back({{"query", heads.query}, {"kv", heads.kv}});
    if (c.key_frequencies.empty()) continue;
    by_layer.back()["key_width"] = heads.key_width;
    by_layer.back()["value_width"] = heads.value_width;
  }
  return {
      {"name", model.name()},
      {"architecture", c.architecture},
      {"layers", c.layers},
      {"width", c.width},
      {"query_heads", c.query_heads},
      {"kv_heads", c.kv_heads},
      {"heads_by_layer", by_layer},
      {"head_dim", c.head_dim},
      {"mlp_width", c.mlp.width},
      {"vocabulary", c.vocabulary},
      {"context", c.context},
      {"dtype", models::config_name(model.dtype)},
      {"kv_bytes_per_token", models::kv_bytes_per_token(c, models::stored_size(c), model.dtype)},
      {"kv_cache", cache_json(setting, model)},
      {"head_similarity", layers}};
}

/// Heads of every layer: "8", or by layer "8 4 4 2".
std::string heads_text(const models::ModelConfig& config, int models::LayerHeads::*count) {
  if (config.heads_by_layer.empty()) return std::to_string(config.heads(0).*count);
  std::vector<int> counts;
  for (const models::LayerHeads& heads : config.heads_by_layer) counts.push_back(heads.*count);
  return fmt::format("by layer {}", fmt::join(counts, " "));
}

std::string text(const models::PretrainedModel& model, const runs::CacheSetting& setting,
                 const std::vector<fitness::LayerGrams>& grams) {
  const models::ModelConfig& c = model.config;
  const auto bytes = models::kv_bytes_per_token(c, models::stored_size(c), model.dtype);
  std::string out = fmt::format("{}  {}\n", model.name(), c.architecture);
  out +=
      fmt::format("  layers {}, width {}, MLP {}, vocabulary {}, context {}, {}\n", c.layers,
                  c.width, c.mlp.width, c.vocabulary, c.context, models::config_name(model.dtype));
  out += fmt::format("  query heads {}, KV heads {}, head_dim {}\n",
                     heads_text(c, &models::LayerHeads::query),
                     heads_text(c, &models::LayerHeads::kv), c.head_dim);
  if (!c.key_frequencies.empty()) {
    out += fmt::format("  width of keys {}, of values {}\n",
                       heads_text(c, &models::LayerHeads::key_width),
                       heads_text(c, &models::LayerHeads::value_width));
  }
  out += fmt::format("  KV cache {} bytes per token\n", bytes);
  out += cache_text(setting, model) + "\n";
  out +=
      "         keys: norm              cosine of pairs     values: norm            cosine of "
      "pairs\n";
  out += "  layer     least  greatest      mean  greatest     least  greatest      mean  greatest";
  for (std::size_t i = 0; i < grams.size(); ++i) {
    out += fmt::format("\n  {:5} {} {}", i, summary_columns(summarise(grams[i].keys)),
                       summary_columns(summarise(grams[i].values)));
  }
  return out;
}

}  // namespace

CLI::App* InspectCommand::declare(CLI::App& program) {
  CLI::App* command = program.add_subcommand(
      "inspect", "Architecture, heads, KV bytes per token, similarity and norms of heads");
  command->add_option("MODEL", model_, "Hugging Face directory or GGUF file")->required();
  declare_options(runs::options(cache_), *command);
  command->add_flag("--json", json_, "Print JSON");
  threads_.declare(*command);
  verbosity_.declare(*command);
  return command;
}

void InspectCommand::run(const Session& session) {
  threads_.apply();
  search::require_in_range(runs::options(cache_));
  const auto opened = runs::open_model(model_, session.console);
  const models::PretrainedModel& model = *opened;
  models::require_finite_attention(model);
  search::SilentProgress silent;
  const auto grams = fitness::weight_grams(model, session.stop, silent);
  session.console.print(json_ ? models::json_text(document(model, cache_, grams), 2)
                              : text(model, cache_, grams));
}

}  // namespace regroup::apps
