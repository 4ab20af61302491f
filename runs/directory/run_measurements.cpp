#include "runs/directory/run_measurements.hpp"

#include <fmt/format.h>

#include "models/files/sha256.hpp"

namespace regroup::runs {
namespace {

std::string cache_suffix(const fitness::Candidate& candidate) {
  const models::CacheType cache = candidate.conversion.cache;
  if (cache == models::CacheType::kExact) return "";
  return fmt::format("\ncache {}", models::cache_type_name(cache));
}

std::string content(const fitness::Candidate& candidate) {
  return fitness::grouping_content(candidate.grouping, candidate.conversion.recipe) +
         cache_suffix(candidate);
}

}  // namespace

std::string reported_key(const fitness::Candidate& candidate) {
  constexpr const char* kSource = "source";
  if (candidate.is_source()) return kSource;
  return models::sha256_hex(candidate.grouping.is_source() ? kSource + cache_suffix(candidate)
                                                           : content(candidate));
}

MeasurementKey selection_key(std::string_view field) {
  return [field](const fitness::Candidate& candidate) {
    return models::sha256_hex(fmt::format("{}\n{}", field, content(candidate)));
  };
}

std::string allocation_key(const fitness::Candidate& candidate) {
  const bool alone = candidate.conversion.scope == models::RefitScope::kGroupedLayers;
  return models::sha256_hex(
      fmt::format("allocation {}\n{}", alone ? "alone" : "whole", content(candidate)));
}

template <>
std::optional<std::vector<double>> RunMeasurements<double>::recall(
    const fitness::Candidate& candidate) const {
  return directory_.recall(key_(candidate), windows_);
}

template <>
void RunMeasurements<double>::remember(const fitness::Candidate& candidate,
                                       const std::vector<double>& values) const {
  directory_.remember(key_(candidate), values);
}

template <>
std::optional<std::vector<models::WindowScore>> RunMeasurements<models::WindowScore>::recall(
    const fitness::Candidate& candidate) const {
  return directory_.recall_scores(key_(candidate), windows_);
}

template <>
void RunMeasurements<models::WindowScore>::remember(
    const fitness::Candidate& candidate, const std::vector<models::WindowScore>& values) const {
  directory_.remember_scores(key_(candidate), values);
}

}  // namespace regroup::runs
