#include "apps/search/priced_problems.hpp"

#include "fitness/fitness.hpp"

namespace regroup::apps {

PricedProblems price(const SearchOptions& options, const SearchInputs& inputs,
                     const models::ActivationMoments* moments, std::stop_token stop,
                     search::Progress& progress) {
  PricedProblems problems;
  for (const fitness::Fitness* fitness : fitness::all_fitnesses()) {
    if (fitness->needs_moments() && moments == nullptr) continue;
    if (fitness->name() == options.fitness) problems.own = problems.all.size();
    problems.all.emplace_back(
        fitness->name(),
        search::GroupingProblem(fitness->layer_costs({*inputs.model, moments, stop, progress}),
                                inputs.rules));
  }
  return problems;
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

}  // namespace regroup::apps
