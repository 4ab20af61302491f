#pragma once

#include <span>
#include <string_view>

#include "fitness/price_label.hpp"
#include "models/inputs/window_score.hpp"

namespace regroup::fitness {

/// A fitness that is measured on the model. It is no Fitness: it does not add up over layers, so
/// only a method that takes a score can minimise it (`MeasuredScore`), on the selection data.
struct MeasuredFitness {
  std::string_view name;   ///< of --fitness: "accuracy"
  std::string_view field;  ///< of a point of front.json: "selection_error"
  models::TokenMeasure measure;
  PriceLabel label;
};

/// The measured fitness called `name`, or null if none is.
const MeasuredFitness* find_measured_fitness(std::string_view name);
/// Those of all.
std::span<const MeasuredFitness> measured_fitnesses();

}  // namespace regroup::fitness
