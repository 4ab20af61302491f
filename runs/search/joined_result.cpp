#include "runs/search/joined_result.hpp"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "models/grouping/grouping_compute.hpp"
#include "search/base/error.hpp"
#include "search/exact/joined_fronts.hpp"
#include "search/exact/mixed_widths.hpp"

namespace regroup::runs {
namespace {

/// What every member of every unit computes, in parts of the source.
std::vector<std::vector<double>> unit_compute(const models::GroupingCompute& compute,
                                              const search::GroupingProblem& problem,
                                              const std::vector<search::UnitFront>& units) {
  std::vector<std::vector<double>> result;
  for (std::size_t u = 0; u < units.size(); ++u) {
    result.emplace_back();
    for (const search::FrontMember& member : units[u]) {
      const std::vector<search::Partition> everywhere(units.size(), member.partition);
      result.back().push_back(compute.of_layer(problem.grouping(everywhere).layers[u]));
    }
  }
  return result;
}

/// The points with their compute, those beyond the limit left out; where it is no objective it is
/// not kept.
std::vector<search::ModelPoint> within_compute(const ComputeChoice& choice,
                                               const models::GroupingCompute& compute,
                                               const std::vector<search::ModelPoint>& front) {
  std::vector<search::ModelPoint> kept;
  for (const search::ModelPoint& point : front) {
    const double own = compute(point.grouping);
    if (choice.most > 0 && own > choice.most) continue;
    kept.push_back(point);
    kept.back().objectives.compute = choice.is_objective ? own : 0;
  }
  return kept;
}

/// Every width's units, with what their members compute if `compute` is not null.
std::vector<search::WidthUnits> width_units(const std::vector<WidthResult>& results,
                                            const models::GroupingCompute* compute) {
  std::vector<search::WidthUnits> widths;
  for (const WidthResult& result : results) {
    widths.push_back({result.problem, &result.found, {}});
    if (compute == nullptr) continue;
    widths.back().compute = unit_compute(*compute, *result.problem, result.found.units);
  }
  return widths;
}

/// Of all layers in one width each: the points that none beats.
std::vector<search::ModelPoint> best_of_widths(const ComputeChoice& choice,
                                               const models::GroupingCompute& compute,
                                               const std::vector<WidthResult>& results) {
  std::vector<std::vector<search::ModelPoint>> fronts;
  for (const WidthResult& result : results) {
    fronts.push_back(within_compute(choice, compute, result.found.front));
  }
  return search::joined_front(fronts);
}

/// Of widths by layer: the points that none beats.
std::vector<search::ModelPoint> best_of_mixed(const ComputeChoice& choice,
                                              const models::GroupingCompute& compute,
                                              const std::vector<search::WidthUnits>& widths,
                                              const search::MethodContext& context) {
  const std::vector<search::ModelPoint> mixed =
      choice.counts() ? search::mixed_compute_front(widths, context) : search::mixed_front(widths);
  const std::vector<std::vector<search::ModelPoint>> fronts = {
      within_compute(choice, compute, mixed)};
  return search::joined_front(fronts);
}

/// Bounds of every width's front; none where a method gave none.
std::optional<search::FrontBounds> bounds_of_widths(const std::vector<WidthResult>& results) {
  std::vector<search::FrontBounds> bounds;
  for (const WidthResult& result : results) {
    if (!result.found.bounds) return std::nullopt;
    bounds.push_back(*result.found.bounds);
  }
  return search::joined_bounds(bounds);
}

/// What was done for all widths, without what was found.
search::MethodResult work_of_widths(const std::vector<WidthResult>& results) {
  search::MethodResult work;
  for (const auto& [problem, found] : results) {
    work.evaluations += found.evaluations;
    work.history.insert(work.history.end(), found.history.begin(), found.history.end());
    work.proofs.insert(work.proofs.end(), found.proofs.begin(), found.proofs.end());
  }
  return work;
}

void require_points(const std::vector<search::ModelPoint>& front, const ComputeChoice& choice) {
  if (!front.empty()) return;
  throw InputError({.what = "no grouping of these widths computes so little",
                    .where = "--max-compute",
                    .expected = "a larger limit, or narrower groups",
                    .found = fmt::format("{}", choice.most)});
}

}  // namespace

search::MethodResult joined_result(const SearchPlan& plan, const models::ModelConfig& config,
                                   std::vector<WidthResult> results,
                                   const search::MethodContext& context) {
  const ComputeChoice& choice = plan.compute_choice;
  if (results.size() == 1 && !choice.counts()) return std::move(results.front().found);
  const models::GroupingCompute compute(config, plan.cache.tokens_of_sequence(config));
  search::MethodResult joined = work_of_widths(results);
  // Bounds are of size and loss alone.
  joined.bounds = bounds_of_widths(results);
  if (plan.widths.may_mix && !plan.selects_by_measuring()) {
    const auto widths = width_units(results, choice.counts() ? &compute : nullptr);
    joined.front = best_of_mixed(choice, compute, widths, context);
    if (joined.bounds) joined.bounds = search::mixed_bounds(widths);
  } else {
    joined.front = best_of_widths(choice, compute, results);
  }
  require_points(joined.front, choice);
  return joined;
}

}  // namespace regroup::runs
