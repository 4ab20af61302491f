#include "fitness/measured_score.hpp"

#include <array>
#include <map>
#include <utility>

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

MeasuredScore::MeasuredScore(const models::CandidateMeter& meter, models::TokenMeasure measure,
                             const models::MergeRecipe& recipe, const MeasuredMemory& memory,
                             std::stop_token stop)
    : meter_(meter), measure_(measure), recipe_(recipe), memory_(memory), stop_(std::move(stop)) {}

std::vector<double> MeasuredScore::scores(std::span<const search::Grouping> groupings) const {
  std::map<search::Grouping, double> known;
  std::vector<search::Grouping> unknown;
  for (const search::Grouping& grouping : groupings) {
    const auto [place, is_new] = known.try_emplace(grouping, 0);
    if (!is_new) continue;
    if (const auto kept = memory_.recall(grouping, recipe_)) {
      place->second = estimate(*kept).mean;
    } else {
      unknown.push_back(grouping);
    }
  }
  const std::vector<std::vector<double>> measured =
      meter_.measure(unknown, recipe_, models::RefitScope::kAllFollowing, measure_, stop_);
  for (std::size_t i = 0; i < unknown.size(); ++i) {
    memory_.remember(unknown[i], recipe_, measured[i]);
    known.at(unknown[i]) = estimate(measured[i]).mean;
  }
  std::vector<double> scores;
  scores.reserve(groupings.size());
  for (const search::Grouping& grouping : groupings) scores.push_back(known.at(grouping));
  return scores;
}

}  // namespace regroup::fitness
