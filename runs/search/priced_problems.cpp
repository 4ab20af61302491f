#include "runs/search/priced_problems.hpp"

#include "fitness/fitness.hpp"

namespace regroup::runs {

PricedProblems price(const SearchPlan& plan, const SearchInputs& inputs,
                     const models::Calibration* calibration, std::stop_token stop,
                     search::Progress& progress) {
  PricedProblems problems;
  for (const fitness::Fitness* fitness : fitness::all_fitnesses()) {
    const bool own = fitness == plan.price.summed();
    if (!fitness::provides(calibration, fitness->needs()) || !(own || fitness->is_cheap()))
      continue;
    if (own) problems.own = problems.all.size();
    problems.all.emplace_back(
        fitness->name(),
        search::GroupingProblem(
            fitness->layer_costs({*inputs.model, calibration, plan.recipe, stop, progress}),
            inputs.rules));
  }
  return problems;
}

const search::GroupingProblem* PricedProblems::find(std::string_view fitness) const {
  for (const auto& [name, problem] : all) {
    if (name == fitness) return &problem;
  }
  return nullptr;
}

void fill_proxies(std::vector<RunPoint>& points, const PricedProblems& problems) {
  for (RunPoint& point : points) {
    for (const auto& [name, problem] : problems.all) {
      const bool own = &problem == &problems.problem();
      point.proxies.emplace_back(name, own ? point.point.objectives.error
                                           : problem.objectives(point.point.grouping).error);
    }
  }
}

}  // namespace regroup::runs
