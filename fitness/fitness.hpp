#pragma once

#include <stop_token>
#include <string_view>
#include <vector>

#include "models/pretrained_model.hpp"
#include "search/problem.hpp"
#include "search/progress.hpp"

namespace regroup::fitness {

/// What a fitness may look at.
struct FitnessInput {
  const models::PretrainedModel& model;
  std::stop_token stop;
  search::Progress& progress;
};

/// A way to price the merging of heads without running the model: cost tables for every layer.
/// Stateless and thread-safe.
class Fitness {
 public:
  virtual ~Fitness() = default;
  virtual std::string_view name() const = 0;
  /// One entry per layer. Throws Interrupted on `stop`.
  virtual std::vector<search::LayerCosts> layer_costs(const FitnessInput& input) const = 0;
};

/// The fitness called `name`; throws InputError that lists the known ones.
const Fitness& find_fitness(std::string_view name);
/// In the order of the table.
std::vector<std::string_view> fitness_names();

}  // namespace regroup::fitness
