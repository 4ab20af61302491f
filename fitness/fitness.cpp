#include "fitness/fitness.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>

#include "fitness/activation.hpp"
#include "fitness/price.hpp"
#include "fitness/residual.hpp"
#include "fitness/wse.hpp"
#include "search/base/error.hpp"

namespace regroup::fitness {
namespace {

const Wse kWse;
const ActivationError kActivation;
const Residual kResidual;
const Fisher kFisher;

/// Every fitness; a new one is one line here.
const std::array<const Fitness*, 4> kFitnesses = {&kWse, &kActivation, &kResidual, &kFisher};

WorkError without_widths(const Fitness& fitness) {
  return WorkError({.what = "fitness does not price widths", .found = std::string(fitness.name())});
}

}  // namespace

std::vector<search::LayerCurves> Fitness::width_curves(const FitnessInput& /*input*/,
                                                       int /*step*/) const {
  throw without_widths(*this);
}

std::vector<std::vector<search::LayerCosts>> Fitness::width_costs(
    const FitnessInput& /*input*/, std::span<const search::GroupMultiples> /*widths*/) const {
  throw without_widths(*this);
}

bool provides(const models::Calibration* calibration, models::MergeNeeds needs) {
  if (needs < models::MergeNeeds::kMoments) return true;
  if (calibration == nullptr) return false;
  return needs == models::MergeNeeds::kMoments || calibration->has_gradients();
}

std::vector<std::string_view> fitness_names() {
  std::vector<std::string_view> names;
  for (const Fitness* fitness : kFitnesses) names.push_back(fitness->name());
  return names;
}

std::span<const Fitness* const> all_fitnesses() {
  return kFitnesses;
}

const Fitness& find_fitness(std::string_view name) {
  for (const Fitness* fitness : kFitnesses) {
    if (fitness->name() == name) return *fitness;
  }
  throw InputError({.what = "fitness is not known",
                    .where = "--fitness",
                    .expected = fmt::format("one of {}", fmt::join(price_names(), ", ")),
                    .found = std::string(name)});
}

}  // namespace regroup::fitness
