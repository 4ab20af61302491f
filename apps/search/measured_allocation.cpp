#include "apps/search/measured_allocation.hpp"

#include <fmt/format.h>

#include <utility>

#include "apps/search/grouping_key.hpp"
#include "fitness/loss_meter.hpp"
#include "models/files/sha256.hpp"
#include "search/error.hpp"
#include "search/exact/measured_front.hpp"
#include "search/front_selection.hpp"

namespace regroup::apps {
namespace {

/// Numbers of groups beside each chosen one that are measured too.
constexpr int kReach = 1;

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
                                       const Console& console, std::stop_token stop)
    : meter_(meter),
      options_(options),
      directory_(directory),
      console_(console),
      stop_(std::move(stop)) {}

double MeasuredAllocation::divergence(const search::Grouping& grouping,
                                      models::RefitScope scope) const {
  const models::MergeRecipe recipe = options_.recipe();
  const char* kind = scope == models::RefitScope::kGroupedLayers ? "alone" : "whole";
  const std::string key = models::sha256_hex(
      fmt::format("allocation {}\n{}", kind, grouping_content(grouping, recipe)));
  auto scores = directory_.recall_scores(key, meter_.windows().size());
  if (!scores) {
    scores = meter_.scores(grouping, recipe, scope, stop_);
    directory_.remember_scores(key, *scores);
  }
  return fitness::estimate(models::values_of(*scores, &models::WindowScore::divergence)).mean;
}

std::vector<search::ModelPoint> MeasuredAllocation::allocate(
    const search::GroupingProblem& problem, const search::MethodResult& found,
    const std::vector<int>& kv_heads) const {
  std::size_t options = 0;
  for (const search::UnitFront& unit : found.units) options += unit.size();
  search::Progress& progress = console_.progress();
  progress.begin("measuring layers alone", options, "options");
  const search::OptionMeasure measure = [&](std::span<const search::OptionId> ids) {
    std::vector<double> costs;
    for (const search::OptionId id : ids) {
      if (stop_.stop_requested()) throw Interrupted();
      const search::Grouping alone = with_option(problem, found.units, id);
      costs.push_back(alone.is_source() ? 0
                                        : divergence(alone, models::RefitScope::kGroupedLayers));
      progress.advance(1);
    }
    return costs;
  };
  const search::MeasuredFront measured =
      search::measured_front(problem, found.units, kv_heads, kReach, measure);
  progress.end();
  console_.log(
      fmt::format("{} of {} options of single layers measured", measured.measured, options));
  progress.begin("measuring allocations", kv_heads.size(), "sizes");
  std::vector<search::ModelPoint> best;
  for (std::size_t i = 0; i < kv_heads.size(); ++i) {
    search::Grouping chosen = measured.points[i].grouping;
    double least = divergence(chosen, models::RefitScope::kAllFollowing);
    const search::ModelPoint* priced = search::best_within(found.front, kv_heads[i]);
    if (priced != nullptr && !(priced->grouping == chosen)) {
      const double other = divergence(priced->grouping, models::RefitScope::kAllFollowing);
      if (other < least) {
        least = other;
        chosen = priced->grouping;
      }
    }
    search::ModelPoint point = problem.point(chosen);
    point.objectives.error = least;
    best.push_back(std::move(point));
    progress.advance(1);
  }
  progress.end();
  return best;
}

}  // namespace regroup::apps
