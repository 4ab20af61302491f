#include "runs/points/measured_allocation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "fitness/loss_estimate.hpp"
#include "search/exact/measured_front.hpp"
#include "search/problem/front_selection.hpp"

namespace regroup::runs {
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
                                       const models::MergeRecipe& recipe,
                                       const RunDirectory& directory, const RunLog& log,
                                       std::stop_token stop)
    : meter_(meter),
      recipe_(recipe),
      log_(log),
      workers_(fitness::score_workers(meter)),
      memory_(directory, meter.windows().size(), allocation_key),
      service_(*workers_, memory_, std::move(stop)) {}

std::vector<double> MeasuredAllocation::divergences(std::span<const search::Grouping> groupings,
                                                    models::RefitScope scope,
                                                    search::Progress& progress) const {
  std::vector<fitness::Candidate> candidates;
  for (const search::Grouping& grouping : groupings) {
    candidates.push_back({grouping, {recipe_, scope}});
  }
  std::vector<double> means;
  for (const auto& scores : service_.measure(candidates, progress)) {
    means.push_back(
        fitness::estimate(models::values_of(scores, &models::WindowScore::divergence)).mean);
  }
  return means;
}

std::vector<search::ModelPoint> MeasuredAllocation::choose(
    const search::GroupingProblem& problem, const std::vector<search::ModelPoint>& measured,
    const std::vector<search::ModelPoint>& priced, const std::vector<int>& kv_heads) const {
  search::SilentProgress silent;
  std::vector<search::ModelPoint> best;
  for (std::size_t i = 0; i < kv_heads.size(); ++i) {
    std::vector<search::Grouping> rivals = {measured[i].grouping};
    const search::ModelPoint* other = search::best_within(priced, kv_heads[i]);
    if (other != nullptr && !(other->grouping == rivals.front())) rivals.push_back(other->grouping);
    const std::vector<double> divergences =
        this->divergences(rivals, models::RefitScope::kAllFollowing, silent);
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
  progress.begin("measuring layers alone", options * meter_.windows().tokens(),
                 meter_.windows().unit());
  const search::OptionMeasure measure = [&](std::span<const search::OptionId> ids) {
    std::vector<search::Grouping> alone;
    for (const search::OptionId id : ids) alone.push_back(with_option(problem, found.units, id));
    std::vector<double> costs = divergences(alone, models::RefitScope::kGroupedLayers, progress);
    for (std::size_t i = 0; i < alone.size(); ++i) {
      if (alone[i].is_source()) costs[i] = 0;
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
