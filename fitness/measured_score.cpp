#include "fitness/measured_score.hpp"

#include <utility>

namespace regroup::fitness {

MeasuredScore::MeasuredScore(const LossMeter& meter, const models::MergeRecipe& recipe,
                             const LossMemory& memory, std::stop_token stop)
    : meter_(meter), recipe_(recipe), memory_(memory), stop_(std::move(stop)) {}

double MeasuredScore::score(const search::Grouping& grouping) const {
  if (const auto known = memory_.recall(grouping, recipe_)) return estimate(*known).mean;
  search::SilentProgress silent;  // the search counts candidates
  const std::vector<double> losses = meter_.converted(grouping, recipe_, stop_, silent);
  memory_.remember(grouping, recipe_, losses);
  return estimate(losses).mean;
}

}  // namespace regroup::fitness
