#include "fitness/residual.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "fitness/residual_cost.hpp"
#include "fitness/wide_cost.hpp"
#include "fitness/width_curves.hpp"
#include "search/base/error.hpp"
#include "search/base/parallel.hpp"
#include "search/costs/filled_cost.hpp"
#include "search/costs/sum_cost.hpp"

namespace regroup::fitness {
namespace {

/// The tables of one projection of one layer: of groups as wide as a head, and as wide as several.
struct ProjectionTables {
  std::shared_ptr<const ResidualCost> narrow;
  std::shared_ptr<const WideCost> wide;  ///< null where it is not wanted

  std::shared_ptr<const search::CostTable> wanted() const {
    if (wide == nullptr) return narrow;
    return wide;
  }
  /// What a group costs at most for each member that it lacks to be as wide.
  double missing() const { return wide == nullptr ? 0 : wide->cost_of_nothing(); }
};

ProjectionTables tables_of(const models::MergeSource& source, models::Projection projection,
                           const FitnessInput& input, const models::HeadWeights& prices) {
  constexpr auto kPriced = models::MergeMetric::kAttention;
  const models::MergeMetric merged = input.recipe.merge->metric();
  const models::MergeProblem problem = models::merge_problem(source, projection, merged);
  std::optional<models::HeadProducts> products;
  if (merged != kPriced) products = models::head_products(source, projection, kPriced);
  ProjectionTables tables{
      std::make_shared<const ResidualCost>(problem, std::move(products), prices, input.recipe), {}};
  const bool of_keys = projection == models::Projection::kKeys;
  const int multiple = of_keys ? input.multiples.keys : input.multiples.values;
  if (multiple > 1) {
    tables.wide = std::make_shared<const WideCost>(problem, prices, multiple, tables.narrow);
  }
  return tables;
}

/// The table that groups of the wanted width are priced by.
std::shared_ptr<const search::CostTable> filled(const ProjectionTables& tables, int multiple) {
  if (tables.wide == nullptr) return tables.narrow;
  return std::make_shared<const search::FilledCost>(tables.wide, multiple, tables.missing(),
                                                    tables.narrow);
}

std::shared_ptr<const search::CostTable> sum_of(std::shared_ptr<const search::CostTable> keys,
                                                std::shared_ptr<const search::CostTable> values) {
  return std::make_shared<const search::SumCost>(
      std::vector<search::WeightedTable>{{std::move(keys)}, {std::move(values)}});
}

search::LayerCosts costs_of(const ProjectionTables& keys, const ProjectionTables& values,
                            const search::GroupMultiples& multiples) {
  search::LayerCosts costs{filled(keys, multiples.keys), filled(values, multiples.values), {}};
  const auto narrow = sum_of(keys.narrow, values.narrow);
  if (multiples.are_heads()) {
    costs.joint = narrow;
    return costs;
  }
  costs.joint = std::make_shared<const search::FilledCost>(
      sum_of(keys.wanted(), values.wanted()), std::max(multiples.keys, multiples.values),
      keys.missing() + values.missing(), narrow);
  return costs;
}

/// Does `work` for every layer of the model, given its source.
void for_each_layer(const FitnessInput& input, const std::string& stage,
                    const std::function<void(std::size_t, const models::MergeSource&)>& work) {
  if (input.calibration == nullptr) throw WorkError({.what = "residuals need calibration"});
  const auto layers = static_cast<std::size_t>(input.model.config.layers);
  input.progress.begin(stage, layers, "layers");
  search::parallel_for(layers, [&](std::size_t i) {
    if (input.stop.stop_requested()) throw Interrupted();
    const models::AttentionMatrices matrices =
        models::read_attention_matrices(input.model, static_cast<int>(i));
    const models::ModelConfig config = input.model.config.of_layer(static_cast<int>(i));
    work(i, {matrices, config, &input.calibration->layers[i]});
    input.progress.advance(1);
  });
  input.progress.end();
}

}  // namespace

double ResidualPrice::group_work(const models::ModelConfig& config,
                                 const models::MergeOperator& merge, int members) const {
  return residual_work(models::HeadLayout::of_keys(config), merge, members) +
         residual_work(models::HeadLayout::of_values(config), merge, members);
}

std::vector<search::LayerCosts> ResidualPrice::layer_costs(const FitnessInput& input) const {
  std::vector<search::LayerCosts> costs(static_cast<std::size_t>(input.model.config.layers));
  for_each_layer(input, fmt::format("inner products for {}", price_name()),
                 [&](std::size_t layer, const models::MergeSource& source) {
                   const auto tables = [&](models::Projection projection) {
                     return tables_of(source, projection, input, weights(source, projection));
                   };
                   costs[layer] = costs_of(tables(models::Projection::kKeys),
                                           tables(models::Projection::kValues), input.multiples);
                 });
  return costs;
}

std::vector<search::LayerCurves> ResidualPrice::width_curves(const FitnessInput& input,
                                                             int step) const {
  std::vector<search::LayerCurves> curves(static_cast<std::size_t>(input.model.config.layers));
  for_each_layer(
      input, "pricing widths", [&](std::size_t layer, const models::MergeSource& source) {
        const auto curve = [&](models::Projection projection) {
          return width_curve(
              models::merge_problem(source, projection, input.recipe.merge->metric()),
              weights(source, projection), step);
        };
        curves[layer] = {curve(models::Projection::kKeys), curve(models::Projection::kValues)};
      });
  return curves;
}

}  // namespace regroup::fitness
