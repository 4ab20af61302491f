#include "runs/search/priced_problems.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include "fitness/fitness.hpp"
#include "models/pretrained/cache_type.hpp"
#include "runs/plan/search_rules.hpp"
#include "search/costs/filled_cost.hpp"

namespace regroup::runs {

namespace {

/// The tables of frozen layers are those of groups as wide as a head.
void take_frozen(const search::GroupingRules& rules, const std::vector<search::LayerCosts>& narrow,
                 std::vector<search::LayerCosts>& costs) {
  for (const int layer : rules.frozen_layers) {
    costs[static_cast<std::size_t>(layer)] = narrow[static_cast<std::size_t>(layer)];
  }
}

/// Costs by one head for groups of that width, where what is minimised is measured: they only say
/// which groups fill their width.
std::vector<search::LayerCosts> filled(const std::vector<search::LayerCosts>& narrow,
                                       const search::GroupMultiples& multiples) {
  const auto fill = [](const std::shared_ptr<const search::CostTable>& table, int multiple) {
    const double all = table->partition_cost(search::Partition::one_group(table->heads()));
    return std::make_shared<const search::FilledCost>(table, multiple, all, table);
  };
  std::vector<search::LayerCosts> costs;
  for (const search::LayerCosts& layer : narrow) {
    costs.push_back({fill(layer.keys, multiples.keys), fill(layer.values, multiples.values),
                     fill(layer.joint, std::max(multiples.keys, multiples.values))});
  }
  return costs;
}

/// Prices the run's own problem in groups of every width; `narrow` are the costs by one head.
void price_widths(const SearchPlan& plan, const SearchInputs& inputs,
                  const fitness::FitnessInput& input, const std::vector<search::LayerCosts>& narrow,
                  PricedProblems& problems) {
  const models::ModelConfig& config = inputs.model->config;
  if (plan.widths.is_free) {
    const search::FreeWidthModel model = free_width_model(inputs);
    problems.curves =
        plan.price.summed()->width_curves(input, free_width_step(plan, model, config.layers));
    return;
  }
  for (const search::GroupingRules& rules : rules_by_width(plan, inputs.rules, config)) {
    if (rules.multiples.are_heads()) {
      problems.by_width.push_back(problems.problem());
      continue;
    }
    fitness::FitnessInput wide = input;
    wide.multiples = rules.multiples;
    const fitness::Fitness* summed = plan.price.summed();
    std::vector<search::LayerCosts> costs =
        summed == nullptr ? filled(narrow, rules.multiples) : summed->layer_costs(wide);
    take_frozen(rules, narrow, costs);
    problems.by_width.emplace_back(std::move(costs), rules);
  }
}

}  // namespace

search::FreeWidthModel free_width_model(const SearchInputs& inputs) {
  const models::ModelConfig& config = inputs.model->config;
  const double limit = inputs.kv_limits.empty() ? 1 : inputs.kv_limits.back();
  return {config.kv_heads, config.head_dim, search::size_within(limit, inputs.source_kv_heads())};
}

int free_width_step(const SearchPlan& plan, const search::FreeWidthModel& model, int layers) {
  const bool in_blocks = std::ranges::any_of(
      plan.measuring.caches, [](models::CacheType type) { return models::is_block_type(type); });
  const int least =
      in_blocks && model.head_dim % models::kCacheBlock == 0 ? models::kCacheBlock : 2;
  return search::free_width_step(model, layers, least);
}

PricedProblems price(const SearchPlan& plan, const SearchInputs& inputs,
                     const models::Calibration* calibration, std::stop_token stop,
                     search::Progress& progress) {
  PricedProblems problems;
  const fitness::FitnessInput input{*inputs.model, calibration, plan.recipe, stop, progress};
  std::vector<search::LayerCosts> narrow;
  for (const fitness::Fitness* fitness : fitness::all_fitnesses()) {
    const bool own = fitness == plan.price.summed();
    if (!fitness::provides(calibration, fitness->needs()) || !(own || fitness->is_cheap()))
      continue;
    std::vector<search::LayerCosts> costs = fitness->layer_costs(input);
    if (own) problems.own = problems.all.size();
    if (own || problems.all.empty()) narrow = costs;
    problems.all.emplace_back(fitness->name(),
                              search::GroupingProblem(std::move(costs), inputs.rules));
  }
  price_widths(plan, inputs, input, narrow, problems);
  return problems;
}

const search::GroupingProblem* PricedProblems::find(std::string_view fitness) const {
  for (const auto& [name, problem] : all) {
    if (name == fitness) return &problem;
  }
  return nullptr;
}

void fill_proxies(std::vector<RunPoint>& points, const PricedProblems& problems) {
  for (RunPoint& point : points) {
    for (const auto& [name, problem] : problems.all) {
      const bool own = &problem == &problems.problem();
      if (!own && point.point.grouping.has_widths()) continue;  // what prices heads alone
      point.proxies.emplace_back(name, own ? point.point.objectives.error
                                           : problem.objectives(point.point.grouping).error);
    }
  }
}

}  // namespace regroup::runs
