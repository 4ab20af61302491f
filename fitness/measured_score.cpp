#include "fitness/measured_score.hpp"

#include <array>

#include "fitness/loss_estimate.hpp"

namespace regroup::fitness {
namespace {

constexpr std::array kMeasured = {
    MeasuredFitness{"loss", "selection_loss", models::TokenMeasure::kLoss},
    MeasuredFitness{"accuracy", "selection_error", models::TokenMeasure::kError}};

}  // namespace

std::span<const MeasuredFitness> measured_fitnesses() {
  return kMeasured;
}

const MeasuredFitness* find_measured_fitness(std::string_view name) {
  for (const MeasuredFitness& fitness : kMeasured) {
    if (fitness.name == name) return &fitness;
  }
  return nullptr;
}

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
