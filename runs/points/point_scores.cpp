#include "runs/points/point_scores.hpp"

#include <fmt/format.h>

#include <chrono>
#include <utility>

#include "models/files/sha256.hpp"
#include "models/merge/merge_operator.hpp"
#include "runs/directory/grouping_key.hpp"

namespace regroup::runs {
namespace {

using models::CacheType;

constexpr const char* kSource = "source";

/// Equal for the same model with the same type of cache; null: the source.
std::string key_of(const RunPoint* point, CacheType cache) {
  const bool is_source = point == nullptr || point->point.grouping.is_source();
  if (is_source && cache == CacheType::kExact) return kSource;
  std::string content =
      is_source ? kSource : grouping_content(point->point.grouping, point->recipe);
  if (cache != CacheType::kExact) {
    content += fmt::format("\ncache {}", models::cache_type_name(cache));
  }
  return models::sha256_hex(content);
}

}  // namespace

PointScores::PointScores(const models::Merger& merger, const models::Windows& windows,
                         std::vector<CacheType> caches, const RunDirectory& directory,
                         const RunLog& log, std::stop_token stop)
    : merger_(merger),
      windows_(windows),
      caches_(std::move(caches)),
      directory_(directory),
      log_(log),
      stop_(std::move(stop)) {}

const PointScores::Scores& PointScores::source(CacheType cache) const {
  return scores_.at(key_of(nullptr, cache));
}

const PointScores::Scores& PointScores::of(const RunPoint& point, CacheType cache) const {
  return scores_.at(key_of(&point, cache));
}

bool PointScores::recall(const std::string& key) {
  auto scores = directory_.recall_scores(key, windows_.size());
  if (scores) scores_[key] = std::move(*scores);
  return scores.has_value();
}

void PointScores::keep(const std::string& key, Scores scores) {
  directory_.remember_scores(key, scores);
  scores_[key] = std::move(scores);
}

PointScores::Missing PointScores::missing_of(const RunPoint* point) {
  std::vector<CacheType> types = {CacheType::kExact};
  const bool has_caches = point == nullptr || point->series == "search";
  if (has_caches) types.insert(types.end(), caches_.begin(), caches_.end());
  Missing missing{point};
  for (const CacheType type : types) {
    const std::string key = key_of(point, type);
    if (scores_.contains(key) || recall(key)) continue;
    // The source's own scores come with its states.
    if (key == kSource) continue;
    scores_[key] = {};  // no other point of the same model asks for it
    missing.types.push_back(type);
  }
  return missing;
}

void PointScores::find(const std::vector<RunPoint>& points) {
  std::vector<Missing> missing = {missing_of(nullptr)};
  const bool knows_source = scores_.contains(kSource);
  for (const RunPoint& point : points) missing.push_back(missing_of(&point));
  std::erase_if(missing, [](const Missing& one) { return one.types.empty(); });
  if (!knows_source || !missing.empty()) measure(missing);
}

void PointScores::measure(const std::vector<Missing>& missing) {
  search::Progress& progress = log_.progress();
  const auto started = std::chrono::steady_clock::now();
  progress.begin("measuring the source", windows_.tokens(), windows_.unit());
  const models::SourceStates states = merger_.source().source_states(windows_, stop_, progress);
  progress.end();
  if (!scores_.contains(kSource)) keep(kSource, states.scores());
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - started;
  std::size_t measurements = 0;
  for (const Missing& one : missing) measurements += one.types.size();
  log_.log(fmt::format("{} measurements of groupings and caches, about {}", measurements,
                       duration_text(seconds.count() * passes(missing))));
  progress.begin("measuring groupings", measurements * windows_.tokens(), windows_.unit());
  for (const Missing& one : missing) {
    const models::LanguageModel model =
        one.point == nullptr
            ? merger_.source()
            : merger_.merged_model(one.point->point.grouping, one.point->recipe, stop_);
    for (const CacheType type : one.types) {
      keep(key_of(one.point, type), model.with_cache(type).compare(states, stop_, progress));
    }
  }
  progress.end();
}

/// How many times as long as the source all of `missing` take: their own passes, and the refits'.
double PointScores::passes(const std::vector<Missing>& missing) const {
  double measurements = 0;
  double tokens = 0;
  for (const Missing& one : missing) {
    measurements += static_cast<double>(one.types.size());
    const bool is_source = one.point == nullptr || one.point->point.grouping.is_source();
    if (!is_source) tokens += merger_.refit_tokens(one.point->recipe);
  }
  return measurements + tokens / static_cast<double>(windows_.tokens());
}

}  // namespace regroup::runs
