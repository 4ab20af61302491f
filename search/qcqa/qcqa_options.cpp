#include "search/qcqa/qcqa_options.hpp"

#include <array>

#include "search/method/method.hpp"

namespace regroup::search {
namespace {

constexpr std::array kStageTwoChoices = {
    Named<StageTwoChoice>{"member", StageTwoChoice::kFrontMember},
    Named<StageTwoChoice>{"bit", StageTwoChoice::kBit}};

}  // namespace

Nsga2Options QcqaOptions::nsga2() const {
  return {.population = population,
          .generations = generations,
          .evaluations = static_cast<std::size_t>(evaluations),
          .patience = patience};
}

std::vector<Option> options(QcqaOptions& values) {
  return {{"--stage-two", "stage_two", "",
           "Stage 2 chooses per layer any member of its front (member), or grouped or not (bit, "
           "the paper's)",
           names_of(values.stage_two, kStageTwoChoices)},
          {"--population", "population", "N", "Candidates per generation",
           NumberField<int>{&values.population, 2, kMany}},
          {"--generations", "generations", "N", "Generations per stage",
           NumberField<int>{&values.generations, 0, kMany}},
          {"--evaluations", "evaluations", "N",
           "Candidates that a stage looks at before it ends (0: no limit)",
           NumberField<std::int64_t>{&values.evaluations, 0, kLargestOption}},
          {"--patience", "patience", "N",
           "Generations without a better front before a search ends (0: no limit)",
           NumberField<int>{&values.patience, 0, kMany}},
          seconds_option(values.seconds)};
}

}  // namespace regroup::search
