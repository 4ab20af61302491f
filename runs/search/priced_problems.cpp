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

/// The widths that the run looks at, heads first.
std::vector<search::GroupMultiples> widths_of(const std::vector<search::GroupingRules>& rules) {
  std::vector<search::GroupMultiples> widths{{}};
  for (const search::GroupingRules& own : rules) {
    if (!own.multiples.are_heads()) widths.push_back(own.multiples);
  }
  return widths;
}

/// The run's own problem in groups of every width; `costs` are those of `widths_of`.
void add_widths(const std::vector<search::GroupingRules>& by_width,
                std::vector<std::vector<search::LayerCosts>> costs, PricedProblems& problems) {
  auto wide = costs.begin();
  for (const search::GroupingRules& rules : by_width) {
    if (rules.multiples.are_heads()) {
      problems.by_width.push_back(problems.problem());
      continue;
    }
    take_frozen(rules, costs.front(), *++wide);
    problems.by_width.emplace_back(std::move(*wide), rules);
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
  const fitness::FitnessInput input{*inputs.model, calibration, plan.recipe,
                                    stop,          progress,    inputs.compute.scratch.get()};
  const models::ModelConfig& config = inputs.model->config;
  std::vector<search::GroupingRules> by_width;
  if (!plan.widths.is_free) by_width = rules_by_width(plan, inputs.rules, config);
  const std::vector<search::GroupMultiples> widths = widths_of(by_width);
  std::vector<std::vector<search::LayerCosts>> own_costs;  // by width
  for (const fitness::Fitness* fitness : fitness::all_fitnesses()) {
    const bool own = fitness == plan.price.summed();
    if (!fitness::provides(calibration, fitness->needs()) || !(own || fitness->is_cheap()))
      continue;
    std::vector<std::vector<search::LayerCosts>> costs;
    if (own && widths.size() > 1) {
      costs = fitness->width_costs(input, widths);
    } else {
      costs.push_back(fitness->layer_costs(input));
    }
    if (own) problems.own = problems.all.size();
    problems.all.emplace_back(fitness->name(),
                              search::GroupingProblem(costs.front(), inputs.rules));
    if (own || own_costs.empty()) own_costs = std::move(costs);
  }
  for (std::size_t w = own_costs.size(); w < widths.size(); ++w) {
    own_costs.push_back(filled(own_costs.front(), widths[w]));
  }
  if (plan.widths.is_free) {
    const search::FreeWidthModel model = free_width_model(inputs);
    problems.curves =
        plan.price.summed()->width_curves(input, free_width_step(plan, model, config.layers));
  }
  add_widths(by_width, std::move(own_costs), problems);
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
