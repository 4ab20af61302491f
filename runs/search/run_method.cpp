#include "runs/search/run_method.hpp"

#include "search/exact/certify.hpp"
#include "search/exact/free_widths.hpp"
#include "search/exact/joined_fronts.hpp"
#include "search/methods/method_table.hpp"

namespace regroup::runs {
namespace {

// The recipe of QCQA's paper.
constexpr const char* kPaperMethod = "qcqa";
constexpr const char* kPaperFitness = "wse";

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
