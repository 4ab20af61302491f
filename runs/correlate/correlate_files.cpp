#include "runs/correlate/correlate_files.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "runs/correlate/proxy_agreement.hpp"

namespace regroup::runs {
namespace {

using nlohmann::ordered_json;

void set_if(ordered_json& object, const char* key, const std::optional<double>& value) {
  if (value) object[key] = *value;
}

/// An absent value is an empty field.
std::string field(const std::optional<double>& value) {
  return value ? fmt::format("{}", *value) : "";
}

/// `0 3 | 1 2`; of a whole model one for each layer, joined by " / ".
std::string partitions_text(const GroupingSample& sample) {
  std::vector<std::string> layers;
  for (std::size_t l = 0; l < sample.grouping.layers.size(); ++l) {
    if (sample.layer && static_cast<std::size_t>(*sample.layer) != l) continue;
    layers.push_back(sample.grouping.layers[l].keys.to_string());
  }
  return fmt::format("{}", fmt::join(layers, " / "));
}

std::string sample_row(const GroupingSample& sample, bool has_uptrained) {
  const bool single = sample.layer.has_value();
  const std::string trained =
      has_uptrained
          ? "," + field(sample.uptrained_delta ? std::optional(sample.uptrained_delta->mean)
                                               : std::nullopt)
          : "";
  return fmt::format("{},{},{},{},{},{},{},{},{},{},{},{}{}\n", single ? "layer" : "model",
                     single ? std::to_string(*sample.layer) : "",
                     single ? std::to_string(sample.groups) : "",
                     single ? "" : fmt::format("{}", sample.kv_limit), sample.grouping.kv_ratio(),
                     sample.origin, fmt::join(sample.prices, ","), sample.delta_loss.mean,
                     field(sample.delta_loss.standard_error), sample.kl.mean,
                     field(sample.kl.standard_error), partitions_text(sample), trained);
}

ordered_json ranks_json(const fitness::RankAgreement& ranks) {
  ordered_json json = {{"sets", ranks.sets}};
  if (ranks.sets == 0) return json;
  json["spearman"] = ranks.spearman;
  json["kendall"] = ranks.kendall;
  return json;
}

ordered_json agreement_json(const ProxyAgreement& agreement) {
  ordered_json json = ordered_json::object();
  for (std::size_t s = 0; s < kRankScopes.size(); ++s) {
    json[kRankScopes[s].name] = ranks_json(agreement.ranks[s]);
  }
  json["regret"] = ordered_json::array();
  for (const SizeRegret& regret : agreement.regrets) {
    json["regret"].push_back({{"kv_limit", regret.kv_limit}, {"regret", regret.regret}});
  }
  json["mean_regret"] = agreement.mean_regret;
  return json;
}

ordered_json proxies_json(const CorrelateResult& result) {
  ordered_json proxies = ordered_json::array();
  for (std::size_t p = 0; p < result.proxies.size(); ++p) {
    ordered_json proxy = {{"proxy", result.proxies[p]}};
    for (const Measure& measure : kMeasures) {
      proxy[measure.name] = agreement_json(proxy_agreement(result.samples, p, measure));
    }
    proxies.push_back(proxy);
  }
  return proxies;
}

/// What was trained, and whether any order before it tells that after it.
ordered_json uptrained_json(const CorrelateResult& result, const CorrelateOptions& options) {
  ordered_json json = {{"tokens", options.uptrain_tokens}, {"ranked_by", ordered_json::array()}};
  for (const UptrainedAgreement& one : uptrained_agreements(result.samples, result.proxies)) {
    ordered_json row = {{"by", one.ranked_by}};
    for (const auto& [scope, ranks] : one.ranks) row[scope] = ranks_json(ranks);
    json["ranked_by"].push_back(std::move(row));
  }
  return json;
}

/// By measure the proxies that share the least mean regret.
ordered_json least_mean_regret(const ordered_json& proxies) {
  ordered_json least = ordered_json::object();
  for (const Measure& measure : kMeasures) {
    const auto regret = [&](const ordered_json& proxy) {
      return proxy[measure.name]["mean_regret"].get<double>();
    };
    double best = regret(proxies.front());
    for (const ordered_json& proxy : proxies) best = std::min(best, regret(proxy));
    least[measure.name] = ordered_json::array();
    for (const ordered_json& proxy : proxies) {
      if (regret(proxy) == best) least[measure.name].push_back(proxy["proxy"]);
    }
  }
  return least;
}

ordered_json data_json(const CorrelateTexts& texts, models::DocumentJoin join) {
  ordered_json data = {{"sha256", texts.data.sha256}};
  if (texts.selection) data["selection_sha256"] = texts.selection->sha256;
  const bool joins =
      texts.data.documents > 0 || (texts.selection && texts.selection->documents > 0);
  if (joins) data["join"] = models::join_name(join);
  data["context"] = texts.measured.context();
  data["calibration_tokens"] = texts.calibration.tokens();
  data["measured_tokens"] = texts.measured.tokens();
  return data;
}

ordered_json counts_json(const std::vector<GroupingSample>& samples) {
  const auto layers = std::ranges::count_if(
      samples, [](const GroupingSample& sample) { return sample.layer.has_value(); });
  return {{"layers", layers}, {"models", static_cast<std::ptrdiff_t>(samples.size()) - layers}};
}

/// "0.91 0.78"; a dash where nothing could be ranked.
std::string ranks_text(const ordered_json& ranks) {
  if (!ranks.contains("spearman")) return "–";
  return fmt::format("{:.3f} {:.3f}", ranks["spearman"].get<double>(),
                     ranks["kendall"].get<double>());
}

/// Columns are padded by characters, not bytes: a dash has three.
std::string padded(const std::string& text, std::size_t width) {
  const auto characters = static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
  return std::string(width > characters ? width - characters : 0, ' ') + text;
}

std::string ranks_table(const ordered_json& proxies, const Measure& measure) {
  std::string text = padded("", 12);
  for (const RankScope& scope : kRankScopes) text += "  " + padded(scope.title, 13);
  text += "\n";
  for (const ordered_json& proxy : proxies) {
    text += fmt::format("  {:<10}", proxy["proxy"].get<std::string>());
    for (const RankScope& scope : kRankScopes) {
      text += "  " + padded(ranks_text(proxy[measure.name][scope.name]), 13);
    }
    text += "\n";
  }
  return text;
}

std::string regret_table(const ordered_json& proxies, const Measure& measure) {
  std::string text = padded("", 12);
  for (const ordered_json& size : proxies.front()[measure.name]["regret"]) {
    text += fmt::format("  {:>8}", fmt::format("KV {:.4g}", size["kv_limit"].get<double>()));
  }
  text += fmt::format("  {:>8}\n", "mean");
  for (const ordered_json& proxy : proxies) {
    text += fmt::format("  {:<10}", proxy["proxy"].get<std::string>());
    for (const ordered_json& size : proxy[measure.name]["regret"]) {
      text += fmt::format("  {:8.4f}", size["regret"].get<double>());
    }
    text += fmt::format("  {:8.4f}\n", proxy[measure.name]["mean_regret"].get<double>());
  }
  return text;
}

std::string agreement_row(const ordered_json& proxy, const Measure& measure) {
  const ordered_json& found = proxy[measure.name];
  std::vector<std::string> fields = {proxy["proxy"].get<std::string>(), measure.name};
  for (const RankScope& scope : kRankScopes) {
    const ordered_json& ranks = found[scope.name];
    for (const char* coefficient : {"spearman", "kendall"}) {
      fields.push_back(ranks.contains(coefficient) ? ranks[coefficient].dump() : "");
    }
  }
  for (const ordered_json& size : found["regret"]) fields.push_back(size["regret"].dump());
  fields.push_back(found["mean_regret"].dump());
  return fmt::format("{}\n", fmt::join(fields, ","));
}

std::string uptrained_text(const ordered_json& uptrained) {
  std::string text = fmt::format(
      "\nSpearman and Kendall of whole models with the change of the loss after {} tokens of "
      "training\n{}",
      uptrained["tokens"].get<std::int64_t>(), padded("", 12));
  for (const RankScope& scope : std::span(kRankScopes).subspan(3)) {
    text += "  " + padded(scope.title, 13);
  }
  text += "\n";
  for (const ordered_json& row : uptrained["ranked_by"]) {
    text += fmt::format("  {:<10}", row["by"].get<std::string>());
    for (const RankScope& scope : std::span(kRankScopes).subspan(3)) {
      text += "  " + padded(ranks_text(row[scope.name]), 13);
    }
    text += "\n";
  }
  return text;
}

std::string least_text(const ordered_json& correlations) {
  std::vector<std::string> parts;
  for (const Measure& measure : kMeasures) {
    std::vector<std::string> names = correlations["least_mean_regret"][measure.name];
    parts.push_back(fmt::format("{} by {}", fmt::join(names, ", "), measure.title));
  }
  return fmt::format("Least mean regret: {}.", fmt::join(parts, "; "));
}

}  // namespace

std::string samples_csv(const CorrelateResult& result) {
  const auto is_trained = [](const GroupingSample& sample) {
    return sample.uptrained_delta.has_value();
  };
  const bool has_uptrained = std::ranges::any_of(result.samples, is_trained);
  std::string text = fmt::format(
      "family,layer,groups,kv_limit,kv_ratio,origin,{},delta_loss,delta_loss_stderr,kl,kl_stderr,"
      "partitions{}\n",
      fmt::join(result.proxies, ","), has_uptrained ? ",uptrained_delta_loss" : "");
  for (const GroupingSample& sample : result.samples) text += sample_row(sample, has_uptrained);
  return text;
}

ordered_json correlations_json(const CorrelateResult& result, const CorrelateOptions& options,
                               const CorrelateInputs& inputs) {
  ordered_json source = {{"loss", result.source.mean}};
  set_if(source, "loss_stderr", result.source.standard_error);
  const ordered_json proxies = proxies_json(result);
  ordered_json all = {{"format", "regroup.correlate"},
                      {"version", 1},
                      {"model",
                       {{"name", inputs.model->name()},
                        {"weights_sha256", inputs.model->checkpoint.weights_sha256()}}},
                      {"merge", options.recipe.merge->name()},
                      {"renorm", options.recipe.renorm},
                      {"refit", models::refit_name(*options.recipe.refit)},
                      {"samples", options.samples},
                      {"exhaustive", options.exhaustive},
                      {"seed", options.seed},
                      {"dtype", models::config_name(options.compute.dtype)},
                      {"data", data_json(inputs.texts, options.join)},
                      {"source", source},
                      {"measured", counts_json(result.samples)},
                      {"proxies", proxies},
                      {"least_mean_regret", least_mean_regret(proxies)}};
  if (options.uptrain_tokens > 0) all["uptrained"] = uptrained_json(result, options);
  return all;
}

std::string correlations_csv(const ordered_json& correlations) {
  const ordered_json& proxies = correlations.at("proxies");
  std::vector<std::string> columns = {"proxy", "measure"};
  for (const RankScope& scope : kRankScopes) {
    for (const char* coefficient : {"spearman", "kendall"}) {
      columns.push_back(fmt::format("{}_{}", scope.name, coefficient));
    }
  }
  for (const ordered_json& size : proxies.front()[kMeasures.front().name]["regret"]) {
    columns.push_back(fmt::format("regret_kv{}", size["kv_limit"].get<double>()));
  }
  columns.push_back("mean_regret");
  std::string text = fmt::format("{}\n", fmt::join(columns, ","));
  for (const ordered_json& proxy : proxies) {
    for (const Measure& measure : kMeasures) text += agreement_row(proxy, measure);
  }
  return text;
}

std::string correlations_text(const ordered_json& correlations) {
  const ordered_json& proxies = correlations.at("proxies");
  std::string text = fmt::format(
      "{} groupings of single layers and {} of the whole model, {} tokens, merge {}\n",
      correlations["measured"]["layers"].get<int>(), correlations["measured"]["models"].get<int>(),
      correlations["data"]["measured_tokens"].get<std::size_t>(),
      correlations["merge"].get<std::string>());
  for (const Measure& measure : kMeasures) {
    text += fmt::format("\nSpearman and Kendall with the {}\n{}", measure.title,
                        ranks_table(proxies, measure));
    text +=
        fmt::format("Regret, {}, nats/token\n{}", measure.title, regret_table(proxies, measure));
  }
  if (correlations.contains("uptrained")) text += uptrained_text(correlations["uptrained"]);
  return text + "\n" + least_text(correlations);
}

}  // namespace regroup::runs
