#pragma once

#include <span>
#include <stop_token>
#include <string_view>
#include <vector>

#include "models/calibration/activation_moments.hpp"
#include "models/pretrained_model.hpp"
#include "search/problem.hpp"
#include "search/progress.hpp"

namespace regroup::fitness {

/// What a fitness may look at.
struct FitnessInput {
  const models::PretrainedModel& model;
  const models::ActivationMoments* moments;  ///< null where nothing was calibrated
  std::stop_token stop;
  search::Progress& progress;
};

/// A way to price the merging of heads without running the model: cost tables for every layer.
/// Stateless and thread-safe.
class Fitness {
 public:
  virtual ~Fitness() = default;
  virtual std::string_view name() const = 0;
  /// Whether it reads FitnessInput::moments, which must then be there.
  virtual bool needs_moments() const { return false; }
  /// One entry per layer. Throws Interrupted on `stop`.
  virtual std::vector<search::LayerCosts> layer_costs(const FitnessInput& input) const = 0;
};

/// The name of the measured loss. It is no Fitness: it does not add up over layers, so only a
/// method that takes a score can minimise it (`MeasuredScore`).
inline constexpr std::string_view kMeasuredLoss = "loss";

/// The fitness called `name`; throws InputError that lists the known ones.
const Fitness& find_fitness(std::string_view name);
/// In the order of the table.
std::vector<std::string_view> fitness_names();
/// Every fitness, in that order.
std::span<const Fitness* const> all_fitnesses();

}  // namespace regroup::fitness
