#include "runs/points/point_scores.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <set>
#include <utility>

namespace regroup::runs {

using fitness::Candidate;
using models::CacheType;

PointScores::PointScores(std::shared_ptr<const models::Merger> merger,
                         const models::MergeStore* store, const models::Windows& windows,
                         std::vector<CacheType> caches, HelperSetup setup,
                         const RunDirectory& directory, const RunLog& log, std::stop_token stop)
    : meter_(std::move(merger), windows, store),
      caches_(std::move(caches)),
      log_(log),
      workers_(rank_workers(meter_, std::move(setup))),
      memory_(directory, windows.size(), reported_key),
      service_(*workers_, memory_, std::move(stop)) {}

Candidate PointScores::candidate(const RunPoint& point, CacheType cache) const {
  return {point.point.grouping, {point.recipe, models::RefitScope::kAllFollowing, cache}};
}

Candidate PointScores::source_candidate(CacheType cache) const {
  return {models::source_grouping(config()), {{}, models::RefitScope::kAllFollowing, cache}};
}

std::vector<CacheType> PointScores::caches(const RunPoint& point) const {
  std::vector<CacheType> own;
  std::ranges::copy_if(caches_, std::back_inserter(own), [&](CacheType type) {
    return models::has_whole_blocks(point.point.grouping, type);
  });
  return own;
}

const PointScores::Scores& PointScores::source(CacheType cache) const {
  return scores_.at(fitness::identity(source_candidate(cache)));
}

const PointScores::Scores& PointScores::of(const RunPoint& point, CacheType cache) const {
  return scores_.at(fitness::identity(candidate(point, cache)));
}

std::vector<Candidate> PointScores::candidates(const std::vector<RunPoint>& points) const {
  std::vector<Candidate> all = {source_candidate(CacheType::kExact)};
  for (const CacheType cache : caches_) all.push_back(source_candidate(cache));
  for (const RunPoint& point : points) {
    all.push_back(candidate(point, CacheType::kExact));
    if (point.series != "search") continue;
    for (const CacheType cache : caches(point)) all.push_back(candidate(point, cache));
  }
  return all;
}

void PointScores::find(const std::vector<RunPoint>& points) {
  const std::vector<Candidate> all = candidates(points);
  const std::vector<Candidate> missing = service_.missing(all);
  search::Progress& progress = log_.progress();
  if (!missing.empty()) {
    announce(missing);
    progress.begin("measuring groupings", missing.size() * meter_.windows().tokens(),
                   meter_.windows().unit());
  }
  std::vector<Scores> scores = service_.measure(all, progress);
  if (!missing.empty()) progress.end();
  for (std::size_t i = 0; i < all.size(); ++i) {
    scores_[fitness::identity(all[i])] = std::move(scores[i]);
  }
}

/// Runs the source, and says how long the rest takes by its time.
void PointScores::announce(const std::vector<Candidate>& missing) const {
  search::Progress& progress = log_.progress();
  const auto started = std::chrono::steady_clock::now();
  progress.begin("measuring the source", meter_.windows().tokens(), meter_.windows().unit());
  service_.prepare(progress);
  progress.end();
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - started;
  // The source's own scores come with its pass.
  const auto others = std::ranges::count_if(
      missing, [](const Candidate& candidate) { return !candidate.is_source(); });
  log_.log(fmt::format("{} measurements of groupings and caches, about {}", others,
                       duration_text(seconds.count() * passes(missing))));
}

/// How many times as long as the source all of `missing` take: their own passes, and the refits'.
double PointScores::passes(const std::vector<Candidate>& missing) const {
  double measurements = 0;
  double tokens = 0;
  std::set<std::string> refitted;
  for (const Candidate& candidate : missing) {
    if (candidate.is_source()) continue;
    ++measurements;
    const auto& recipe = candidate.conversion.recipe;
    const bool is_converted =
        !candidate.grouping.is_source() &&
        refitted.insert(fitness::grouping_content(candidate.grouping, recipe)).second;
    if (is_converted) tokens += meter_.merger().refit_tokens(recipe);
  }
  return measurements + tokens / static_cast<double>(meter_.windows().tokens());
}

}  // namespace regroup::runs
