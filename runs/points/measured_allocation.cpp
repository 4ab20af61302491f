#include "runs/points/measured_allocation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "fitness/loss_estimate.hpp"
#include "models/files/sha256.hpp"
#include "runs/directory/grouping_key.hpp"
#include "search/exact/measured_front.hpp"
#include "search/problem/front_selection.hpp"

namespace regroup::runs {
namespace {

/// Numbers of groups beside each chosen one that are measured too.
constexpr int kReach = 1;

/// Options measured together.
constexpr std::size_t kTogether = 16;

/// The model with one option of one unit and all else as it is.
search::Grouping with_option(const search::GroupingProblem& problem,
                             const std::vector<search::UnitFront>& units, search::OptionId id) {
  std::vector<search::Partition> partitions;
  for (const search::Unit& unit : problem.units()) {
    partitions.push_back(search::Partition::singletons(unit.heads()));
  }
  partitions[id.unit] = units[id.unit][id.option].partition;
  return problem.grouping(partitions);
}

}  // namespace

MeasuredAllocation::MeasuredAllocation(const models::CandidateMeter& meter,
                                       const SearchOptions& options, const RunDirectory& directory,
                                       const RunLog& log, std::stop_token stop)
    : meter_(meter), options_(options), directory_(directory), log_(log), stop_(std::move(stop)) {}

std::vector<double> MeasuredAllocation::divergences(std::span<const search::Grouping> groupings,
                                                    models::RefitScope scope) const {
  using Scores = std::vector<models::WindowScore>;
  const models::MergeRecipe recipe = options_.recipe();
  const char* kind = scope == models::RefitScope::kGroupedLayers ? "alone" : "whole";
  const auto key = [&](const search::Grouping& grouping) {
    return models::sha256_hex(
        fmt::format("allocation {}\n{}", kind, grouping_content(grouping, recipe)));
  };
  std::vector<std::optional<Scores>> scores;
  std::vector<search::Grouping> unknown;
  for (const search::Grouping& grouping : groupings) {
    scores.push_back(directory_.recall_scores(key(grouping), meter_.windows().size()));
    if (!scores.back()) unknown.push_back(grouping);
  }
  std::vector<Scores> measured = meter_.scores(unknown, recipe, scope, stop_);
  std::vector<double> means;
  for (std::size_t i = 0, next = 0; i < groupings.size(); ++i) {
    if (!scores[i]) {
      scores[i] = std::move(measured[next++]);
      directory_.remember_scores(key(groupings[i]), *scores[i]);
    }
    means.push_back(
        fitness::estimate(models::values_of(*scores[i], &models::WindowScore::divergence)).mean);
  }
  return means;
}

std::vector<search::ModelPoint> MeasuredAllocation::choose(
    const search::GroupingProblem& problem, const std::vector<search::ModelPoint>& measured,
    const std::vector<search::ModelPoint>& priced, const std::vector<int>& kv_heads) const {
  std::vector<search::ModelPoint> best;
  for (std::size_t i = 0; i < kv_heads.size(); ++i) {
    std::vector<search::Grouping> rivals = {measured[i].grouping};
    const search::ModelPoint* other = search::best_within(priced, kv_heads[i]);
    if (other != nullptr && !(other->grouping == rivals.front())) rivals.push_back(other->grouping);
    const std::vector<double> divergences =
        this->divergences(rivals, models::RefitScope::kAllFollowing);
    const auto least = std::ranges::min_element(divergences);
    best.push_back(problem.point(rivals[static_cast<std::size_t>(least - divergences.begin())]));
    best.back().objectives.error = *least;
    log_.progress().advance(1);
  }
  return best;
}

std::vector<search::ModelPoint> MeasuredAllocation::allocate(
    const search::GroupingProblem& problem, const search::MethodResult& found,
    const std::vector<int>& kv_heads) const {
  std::size_t options = 0;
  for (const search::UnitFront& unit : found.units) options += unit.size();
  search::Progress& progress = log_.progress();
  progress.begin("measuring layers alone", options, "options");
  // Fitting takes longer than what measuring together saves, and is remembered when it is done.
  const std::size_t together = options_.recipe().fits_layers() ? 1 : kTogether;
  const search::OptionMeasure measure = [&](std::span<const search::OptionId> ids) {
    std::vector<double> costs;
    while (costs.size() < ids.size()) {
      std::vector<search::Grouping> alone;
      for (const search::OptionId id :
           ids.subspan(costs.size()).first(std::min(together, ids.size() - costs.size()))) {
        alone.push_back(with_option(problem, found.units, id));
      }
      std::vector<double> measured = divergences(alone, models::RefitScope::kGroupedLayers);
      for (std::size_t i = 0; i < alone.size(); ++i) {
        costs.push_back(alone[i].is_source() ? 0 : measured[i]);
      }
      progress.advance(alone.size());
    }
    return costs;
  };
  const search::MeasuredFront measured =
      search::measured_front(problem, found.units, kv_heads, kReach, measure);
  progress.end();
  log_.log(fmt::format("{} of {} options of single layers measured", measured.measured, options));
  progress.begin("measuring allocations", kv_heads.size(), "sizes");
  std::vector<search::ModelPoint> best = choose(problem, measured.points, found.front, kv_heads);
  progress.end();
  return best;
}

}  // namespace regroup::runs
