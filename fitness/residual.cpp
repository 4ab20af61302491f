#include "fitness/residual.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "fitness/residual_cost.hpp"
#include "search/base/error.hpp"
#include "search/base/parallel.hpp"
#include "search/costs/sum_cost.hpp"

namespace regroup::fitness {
namespace {

/// Weights of errors of one projection.
using WeightRule =
    std::function<models::HeadWeights(const models::MergeSource&, models::Projection)>;

std::shared_ptr<const search::CostTable> residual_table(const models::MergeSource& source,
                                                        models::Projection projection,
                                                        const models::MergeRecipe& recipe,
                                                        const WeightRule& weights) {
  constexpr auto kPriced = models::MergeMetric::kAttention;
  const models::MergeMetric merged = recipe.merge->metric();
  models::MergeProblem problem = models::merge_problem(source, projection, merged);
  std::optional<models::HeadProducts> products;
  if (merged != kPriced) products = models::head_products(source, projection, kPriced);
  return std::make_shared<const ResidualCost>(std::move(problem), std::move(products),
                                              weights(source, projection), recipe);
}

std::vector<search::LayerCosts> residual_costs(const FitnessInput& input, const std::string& stage,
                                               const WeightRule& weights) {
  if (input.calibration == nullptr) throw WorkError({.what = "residuals need calibration"});
  const auto layers = static_cast<std::size_t>(input.model.config.layers);
  std::vector<search::LayerCosts> costs(layers);
  input.progress.begin(stage, layers, "layers");
  search::parallel_for(layers, [&](std::size_t i) {
    if (input.stop.stop_requested()) throw Interrupted();
    const models::AttentionMatrices matrices =
        models::read_attention_matrices(input.model, static_cast<int>(i));
    const models::ModelConfig config = input.model.config.of_layer(static_cast<int>(i));
    const models::MergeSource source{matrices, config, &input.calibration->layers[i]};
    const auto table = [&](models::Projection projection) {
      return residual_table(source, projection, input.recipe, weights);
    };
    costs[i].keys = table(models::Projection::kKeys);
    costs[i].values = table(models::Projection::kValues);
    costs[i].joint = std::make_shared<const search::SumCost>(
        std::vector<search::WeightedTable>{{costs[i].keys}, {costs[i].values}});
    input.progress.advance(1);
  });
  input.progress.end();
  return costs;
}

}  // namespace

double ResidualPrice::group_work(const models::ModelConfig& config,
                                 const models::MergeOperator& merge, int members) const {
  return residual_work(models::HeadLayout::of_keys(config), merge, members) +
         residual_work(models::HeadLayout::of_values(config), merge, members);
}

std::vector<search::LayerCosts> Residual::layer_costs(const FitnessInput& input) const {
  return residual_costs(input, "inner products for residuals", models::head_weights);
}

std::vector<search::LayerCosts> Fisher::layer_costs(const FitnessInput& input) const {
  return residual_costs(input, "inner products for fisher prices", models::fisher_weights);
}

}  // namespace regroup::fitness
