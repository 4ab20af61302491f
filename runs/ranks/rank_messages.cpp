#include "runs/ranks/rank_messages.hpp"

#include <cstring>
#include <functional>
#include <nlohmann/json.hpp>

#include "models/merge/operators/merge_table.hpp"
#include "search/base/error.hpp"

namespace regroup::runs {
namespace {

using nlohmann::json;

json widths_json(const search::GroupWidths& widths) {
  return {{"head_dim", widths.head_dim},
          {"keys", widths.keys},
          {"values", widths.values},
          {"free", widths.free_frequencies}};
}

json layer_json(const search::LayerGrouping& layer) {
  std::vector<int> queries;
  for (const search::Group group : layer.query_to_group) queries.push_back(group.value());
  const auto labels = [](const search::Partition& partition) {
    return std::vector<search::Label>(partition.labels().begin(), partition.labels().end());
  };
  return {{"keys", labels(layer.keys)},
          {"values", labels(layer.values)},
          {"queries", queries},
          {"widths", layer.widths ? widths_json(*layer.widths) : json()}};
}

search::LayerGrouping read_layer(const json& layer) {
  const auto partition = [&](const char* name) {
    return search::Partition::from_labels(layer.at(name).get<std::vector<search::Label>>());
  };
  search::LayerGrouping read{partition("keys"), partition("values")};
  for (const int group : layer.at("queries").get<std::vector<int>>()) {
    read.query_to_group.emplace_back(group);
  }
  const json& widths = layer.at("widths");
  if (widths.is_null()) return read;
  read.widths = search::GroupWidths{widths.at("head_dim"), widths.at("keys"), widths.at("values"),
                                    widths.at("free")};
  return read;
}

json candidate_json(const fitness::Candidate& candidate) {
  const auto& [recipe, scope, cache] = candidate.conversion;
  json layers = json::array();
  for (const search::LayerGrouping& layer : candidate.grouping.layers) {
    layers.push_back(layer_json(layer));
  }
  return {{"layers", layers},
          {"merge", recipe.merge->name()},
          {"renorm", recipe.renorm},
          {"refit", models::refit_name(recipe.refit)},
          {"steps", recipe.reconstruction_steps},
          {"scope", static_cast<int>(scope)},
          {"cache", static_cast<int>(cache)}};
}

fitness::Candidate read_candidate(const json& text) {
  fitness::Candidate candidate;
  for (const json& layer : text.at("layers")) {
    candidate.grouping.layers.push_back(read_layer(layer));
  }
  candidate.conversion = {
      models::MergeRecipe(
          models::find_merge(text.at("merge").get<std::string>()), text.at("renorm"),
          models::find_refit(text.at("refit").get<std::string>()), text.at("steps")),
      static_cast<models::RefitScope>(text.at("scope").get<int>()),
      static_cast<models::CacheType>(text.at("cache").get<int>())};
  return candidate;
}

std::vector<std::byte> bytes_of(const std::vector<std::uint8_t>& cbor) {
  const auto bytes = std::as_bytes(std::span(cbor));
  return {bytes.begin(), bytes.end()};
}

/// Reads a message by `read`, which looks at its document.
template <class Message>
Message read_message(std::span<const std::byte> message,
                     const std::function<Message(const json&)>& read) {
  try {
    const auto* begin = reinterpret_cast<const std::uint8_t*>(message.data());
    return read(json::from_cbor(begin, begin + message.size()));
  } catch (const json::exception& error) {
    throw WorkError({.what = "ranks do not understand each other",
                     .expected = "the same program in all of them",
                     .found = error.what()});
  }
}

}  // namespace

std::vector<std::byte> job_message(const HelperJob& job) {
  json message = {{"calibration", job.setup.calibration.string()},
                  {"run", job.setup.run.string()},
                  {"calibration_sha256", job.setup.calibration_sha256},
                  {"wanted", job.setup.wanted},
                  {"candidates", json::array()}};
  for (const fitness::Candidate& candidate : job.candidates) {
    message["candidates"].push_back(candidate_json(candidate));
  }
  return bytes_of(json::to_cbor(message));
}

HelperJob read_job(std::span<const std::byte> message) {
  return read_message<HelperJob>(message, [](const json& text) {
    HelperJob job{{text.at("calibration").get<std::string>(), text.at("run").get<std::string>(),
                   text.at("calibration_sha256"), text.at("wanted")},
                  {}};
    for (const json& candidate : text.at("candidates")) {
      job.candidates.push_back(read_candidate(candidate));
    }
    return job;
  });
}

std::vector<std::byte> scores_message(const CandidateScores& scores) {
  json message = json::array();
  for (const std::vector<models::WindowScore>& windows : scores) {
    std::vector<std::uint8_t> bytes(windows.size() * sizeof(models::WindowScore));
    std::memcpy(bytes.data(), windows.data(), bytes.size());
    message.push_back(json::binary(std::move(bytes)));
  }
  return bytes_of(json::to_cbor(message));
}

CandidateScores read_scores(std::span<const std::byte> message) {
  return read_message<CandidateScores>(message, [](const json& text) {
    CandidateScores scores;
    for (const json& entry : text) {
      const auto& bytes = entry.get_binary();
      std::vector<models::WindowScore> windows(bytes.size() / sizeof(models::WindowScore));
      std::memcpy(windows.data(), bytes.data(), windows.size() * sizeof(models::WindowScore));
      scores.push_back(std::move(windows));
    }
    return scores;
  });
}

}  // namespace regroup::runs
