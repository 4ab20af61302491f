#include "fitness/residual.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include "fitness/residual_cost.hpp"
#include "fitness/wide_cost.hpp"
#include "fitness/width_curves.hpp"
#include "search/base/error.hpp"
#include "search/base/parallel.hpp"
#include "search/costs/filled_cost.hpp"
#include "search/costs/pricing_work.hpp"
#include "search/costs/sum_cost.hpp"

namespace regroup::fitness {
namespace {

using search::GroupMultiples;

/// The tables of one projection of one layer in groups of one width.
struct ProjectionTables {
  std::shared_ptr<const ResidualCost> narrow;  ///< of groups as wide as a head
  int multiple = 1;
  std::shared_ptr<const WideCost> wide = nullptr;  ///< null where the width is a head's

  std::shared_ptr<const search::CostTable> wanted() const {
    if (wide == nullptr) return narrow;
    return wide;
  }
  /// What a group costs at most for each member that it lacks to be as wide.
  double missing() const { return wide == nullptr ? 0 : wide->cost_of_nothing(); }
  /// The table that groups of the width are priced by.
  std::shared_ptr<const search::CostTable> filled() const {
    if (wide == nullptr) return narrow;
    return std::make_shared<const search::FilledCost>(wide, multiple, missing(), narrow);
  }
};

/// Whether so few groups are priced that all can be remembered, and each is dear.
bool is_costly(const models::MergeProblem& problem, const models::MergeRecipe& recipe) {
  return search::work_of_all_groups(problem.heads, [&](int members) {
           return residual_work(problem.layout, *recipe.merge, members);
         }) > search::kMostPricingWork;
}

/// The table of one projection of one layer in groups as wide as a head; `multiples` are the widths
/// that other tables of it will have.
std::shared_ptr<const ResidualCost> narrow_table(const models::MergeSource& source,
                                                 models::Projection projection,
                                                 const models::MergeRecipe& recipe,
                                                 models::HeadWeights prices,
                                                 const std::set<int>& multiples,
                                                 const models::Scratch* scratch) {
  constexpr auto kPriced = models::MergeMetric::kAttention;
  const models::MergeMetric merged = recipe.merge->metric();
  std::optional<models::HeadProducts> products;
  if (merged != kPriced) products = models::head_products(source, projection, kPriced);
  models::MergeProblem problem = models::merge_problem(source, projection, merged);
  if (scratch != nullptr) {
    problem.products.block = problem.products.block.put_away(*scratch);
    if (products) products->block = products->block.put_away(*scratch);
  }
  std::vector<int> shared;
  if (multiples.size() > 1 && is_costly(problem, recipe)) {
    shared.assign(multiples.begin(), multiples.end());
  }
  return std::make_shared<const ResidualCost>(std::move(problem), std::move(products),
                                              std::move(prices), recipe, std::move(shared));
}

ProjectionTables tables_of(const std::shared_ptr<const ResidualCost>& narrow, int multiple) {
  ProjectionTables tables{narrow, multiple};
  if (multiple > 1) tables.wide = std::make_shared<const WideCost>(narrow, multiple);
  return tables;
}

std::shared_ptr<const search::CostTable> sum_of(std::shared_ptr<const search::CostTable> keys,
                                                std::shared_ptr<const search::CostTable> values) {
  return std::make_shared<const search::SumCost>(
      std::vector<search::WeightedTable>{{std::move(keys)}, {std::move(values)}});
}

std::set<int> multiples_of(std::span<const GroupMultiples> widths, int GroupMultiples::*part) {
  std::set<int> multiples = {1};
  for (const GroupMultiples& width : widths) multiples.insert(width.*part);
  return multiples;
}

search::LayerCosts costs_of(const ProjectionTables& keys, const ProjectionTables& values) {
  search::LayerCosts costs{keys.filled(), values.filled(), {}};
  const auto narrow = sum_of(keys.narrow, values.narrow);
  if (keys.multiple == 1 && values.multiple == 1) {
    costs.joint = narrow;
    return costs;
  }
  costs.joint = std::make_shared<const search::FilledCost>(
      sum_of(keys.wanted(), values.wanted()), std::max(keys.multiple, values.multiple),
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
    const auto moments = input.calibration->moments(i);
    work(i, {matrices, config, moments.get()});
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

std::vector<std::vector<search::LayerCosts>> ResidualPrice::width_costs(
    const FitnessInput& input, std::span<const search::GroupMultiples> widths) const {
  const auto layers = static_cast<std::size_t>(input.model.config.layers);
  std::vector costs(widths.size(), std::vector<search::LayerCosts>(layers));
  for_each_layer(
      input, fmt::format("inner products for {}", price_name()),
      [&](std::size_t layer, const models::MergeSource& source) {
        const auto narrow = [&](models::Projection projection, int GroupMultiples::*part) {
          return narrow_table(source, projection, input.recipe, weights(source, projection),
                              multiples_of(widths, part), input.scratch);
        };
        const auto keys = narrow(models::Projection::kKeys, &GroupMultiples::keys);
        const auto values = narrow(models::Projection::kValues, &GroupMultiples::values);
        for (std::size_t w = 0; w < widths.size(); ++w) {
          costs[w][layer] =
              costs_of(tables_of(keys, widths[w].keys), tables_of(values, widths[w].values));
        }
      });
  return costs;
}

std::vector<search::LayerCosts> ResidualPrice::layer_costs(const FitnessInput& input) const {
  const search::GroupMultiples heads;
  return width_costs(input, std::span(&heads, 1)).front();
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
