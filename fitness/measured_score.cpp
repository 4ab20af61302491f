#include "fitness/measured_score.hpp"

#include "fitness/loss_estimate.hpp"

namespace regroup::fitness {

std::vector<double> MeasuredScore::scores(std::span<const search::Grouping> groupings) const {
  std::vector<Candidate> candidates;
  candidates.reserve(groupings.size());
  for (const search::Grouping& grouping : groupings) candidates.push_back({grouping, {recipe_}});
  search::SilentProgress silent;
  std::vector<double> scores;
  scores.reserve(groupings.size());
  for (const std::vector<double>& means : service_.measure(candidates, silent)) {
    scores.push_back(estimate(means).mean);
  }
  return scores;
}

}  // namespace regroup::fitness
