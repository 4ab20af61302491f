#include "runs/search/run_method.hpp"

#include <fmt/format.h>

#include <utility>

#include "models/grouping/grouping_compute.hpp"
#include "search/base/error.hpp"
#include "search/exact/certify.hpp"
#include "search/exact/free_widths.hpp"
#include "search/exact/joined_fronts.hpp"
#include "search/exact/mixed_widths.hpp"
#include "search/methods/method_table.hpp"

namespace regroup::runs {
namespace {

// The recipe of QCQA's paper.
constexpr const char* kPaperMethod = "qcqa";
constexpr const char* kPaperFitness = "wse";

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

}  // namespace

search::MethodResult run_method(const SearchPlan& plan, const SearchInputs& inputs,
                                const search::KeyGrams* key_grams,
                                const search::GroupingProblem& problem,
                                const MeasuredSelection* selection, const RunLog& log,
                                search::MethodContext context) {
  context.seeds = inputs.seeds;
  context.key_grams = key_grams;
  if (selection == nullptr) return plan.method->run(problem, context);
  const models::MergeRecipe& recipe = plan.recipe;
  selection->announce(plan.method->candidates(problem), recipe, log);
  const fitness::MeasuredScore score = selection->score(recipe);
  context.score = &score;
  return plan.method->run(problem, context);
}

search::MethodResult joined_result(const SearchPlan& plan, const models::ModelConfig& config,
                                   std::vector<WidthResult> results,
                                   const search::MethodContext& context) {
  const ComputeChoice& choice = plan.compute_choice;
  const bool counts_compute = choice.is_objective || choice.most > 0;
  if (results.size() == 1 && !counts_compute) return std::move(results.front().found);
  const models::GroupingCompute compute(config, plan.cache.tokens_of_sequence(config));
  const bool mixes = plan.widths.may_mix && !plan.selects_by_measuring();
  std::vector<search::WidthUnits> units;
  std::vector<std::vector<search::ModelPoint>> fronts;
  std::vector<search::FrontBounds> bounds;
  search::MethodResult joined;
  for (const WidthResult& result : results) {
    const search::MethodResult& found = result.found;
    units.push_back({result.problem, &found, {}});
    if (mixes && counts_compute) {
      units.back().compute = unit_compute(compute, *result.problem, found.units);
    }
    fronts.push_back(within_compute(choice, compute, found.front));
    if (found.bounds) bounds.push_back(*found.bounds);
    joined.evaluations += found.evaluations;
    joined.history.insert(joined.history.end(), found.history.begin(), found.history.end());
    joined.proofs.insert(joined.proofs.end(), found.proofs.begin(), found.proofs.end());
  }
  if (mixes) {
    const std::vector<search::ModelPoint> mixed =
        counts_compute ? search::mixed_compute_front(units, context) : search::mixed_front(units);
    fronts = {within_compute(choice, compute, mixed)};
  }
  joined.front = search::joined_front(fronts);
  if (joined.front.empty()) {
    throw InputError({.what = "no grouping of these widths computes so little",
                      .where = "--max-compute",
                      .expected = "a larger limit, or narrower groups",
                      .found = fmt::format("{}", choice.most)});
  }
  // What is proven is so for size and loss alone.
  if (bounds.size() == results.size()) {
    joined.bounds = mixes ? search::mixed_bounds(units) : search::joined_bounds(bounds);
  }
  return joined;
}

search::MethodResult free_widths(const SearchInputs& inputs, const PricedProblems& problems) {
  search::MethodResult found{search::free_width_front(free_width_model(inputs), problems.curves)};
  found.bounds = search::FrontBounds{{}, true};
  for (const search::ModelPoint& point : found.front) {
    found.bounds->bounds.push_back(point.objectives);
  }
  return found;
}

std::optional<search::Certificate> certify(const SearchPlan& plan, const PricedProblems& problems,
                                           const search::MethodResult& found,
                                           const search::MethodContext& context) {
  if (plan.selects_by_measuring()) return std::nullopt;
  if (found.certificate) return *found.certificate;
  if (found.bounds) return search::certify(problems.problem(), found.front, *found.bounds);
  // Nothing bounds choices that differ from layer to layer but the exact method.
  if (plan.widths.may_mix) return std::nullopt;
  std::vector<search::FrontBounds> bounds;
  for (const search::GroupingProblem& problem : problems.by_width) {
    const search::GroupSizes sizes = plan.method->sizes(problem);
    bounds.push_back(search::exact_front(problem, search::bound_units(problem, sizes, context)));
  }
  return search::certify(problems.problem(), found.front, search::joined_bounds(bounds));
}

std::optional<ComparedFront> paper_front(const SearchPlan& plan, const PricedProblems& problems,
                                         const search::MethodContext& context) {
  const models::MergeRecipe recipe;
  const auto method = search::make_method(kPaperMethod);
  const bool is_own = plan.method->name() == kPaperMethod && plan.price.name() == kPaperFitness &&
                      plan.recipe == recipe;
  const search::GroupingProblem* problem = problems.find(kPaperFitness);
  if (is_own || problem == nullptr) return std::nullopt;
  return ComparedFront{"paper", std::string(method->file_name()), recipe,
                       method->run(*problem, context).front};
}

}  // namespace regroup::runs
