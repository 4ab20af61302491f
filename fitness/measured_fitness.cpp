#include "fitness/measured_fitness.hpp"

#include <array>

namespace regroup::fitness {
namespace {

/// Every measured fitness; a new one is one line here.
constexpr std::array kMeasured = {
    MeasuredFitness{"loss",
                    "selection_loss",
                    models::TokenMeasure::kLoss,
                    {"selection loss", "loss on the selection data, nats per token"}},
    MeasuredFitness{"accuracy",
                    "selection_error",
                    models::TokenMeasure::kError,
                    {"selection error", "share of the selection data's tokens not found"}}};

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

}  // namespace regroup::fitness
