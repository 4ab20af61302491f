#pragma once

#include <span>
#include <stop_token>
#include <string_view>
#include <vector>

#include "fitness/price_label.hpp"
#include "models/calibration/calibration.hpp"
#include "models/pretrained/pretrained_model.hpp"
#include "models/recipes/merge_recipe.hpp"
#include "search/base/progress.hpp"
#include "search/exact/free_widths.hpp"
#include "search/problem/problem.hpp"

namespace regroup::models {
class Scratch;
}

namespace regroup::fitness {

/// What a fitness may look at.
struct FitnessInput {
  const models::PretrainedModel& model;
  const models::Calibration* calibration;  ///< null where nothing was calibrated
  const models::MergeRecipe& recipe;       ///< the merge that will really be used
  std::stop_token stop;
  search::Progress& progress;
  /// Where what tables need of whole layers is put; null: in memory.
  const models::Scratch* scratch = nullptr;
};

/// A way to price the merging of heads without running the model: cost tables for every layer.
/// Stateless and thread-safe.
class Fitness {
 public:
  virtual ~Fitness() = default;
  /// As on the command line and as a field of front.json: "wse".
  virtual std::string_view name() const = 0;
  virtual PriceLabel label() const = 0;
  /// What it reads of FitnessInput::calibration, which must then be there.
  virtual models::MergeNeeds needs() const { return models::MergeNeeds::kWeights; }
  /// Whether its price is shown in every run that has what it needs, or only where asked for.
  virtual bool is_cheap() const { return true; }
  /// Multiplications that pricing a group of so many KV heads of one layer takes, roughly; 0 where
  /// they are too few to count.
  virtual double group_work(const models::ModelConfig& /*config*/,
                            const models::MergeOperator& /*merge*/, int /*members*/) const {
    return 0;
  }
  /// Whether it prices groups that are wider than a head.
  virtual bool prices_widths() const { return false; }
  /// What one group of all heads of each layer costs at every width from head_dim on, `step` by
  /// `step`; of a fitness that prices widths. Throws Interrupted on `stop`.
  virtual std::vector<search::LayerCurves> width_curves(const FitnessInput& input, int step) const;
  /// The costs of groups of each of these widths, one entry per layer; of a fitness that prices
  /// widths. What the widths have in common is computed once. Throws Interrupted on `stop`.
  virtual std::vector<std::vector<search::LayerCosts>> width_costs(
      const FitnessInput& input, std::span<const search::GroupMultiples> widths) const;
  /// Those of groups as wide as a head. One entry per layer. Throws Interrupted on `stop`.
  virtual std::vector<search::LayerCosts> layer_costs(const FitnessInput& input) const = 0;
};

/// Whether a calibration holds what is needed; null holds nothing.
bool provides(const models::Calibration* calibration, models::MergeNeeds needs);

/// The fitness called `name`; throws InputError that lists the known ones.
const Fitness& find_fitness(std::string_view name);
/// In the order of the table.
std::vector<std::string_view> fitness_names();
/// Every fitness, in that order.
std::span<const Fitness* const> all_fitnesses();

}  // namespace regroup::fitness
