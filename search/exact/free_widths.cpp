#include "search/exact/free_widths.hpp"

#include <cmath>

#include "search/exact/budget_split.hpp"

namespace regroup::search {
namespace {

std::vector<SplitOption> options_of(const std::vector<WidthPrice>& curve) {
  std::vector<SplitOption> options;
  for (const WidthPrice& price : curve) options.push_back({price.width, price.cost});
  return options;
}

LayerGrouping layer_of(const FreeWidthModel& model, int keys, int values) {
  const int all = model.heads * model.head_dim;
  if (keys == all && values == all) {
    const Partition apart = Partition::singletons(model.heads);
    return {apart, apart};
  }
  const Partition together = Partition::one_group(model.heads);
  return {together, together, {}, GroupWidths{model.head_dim, {keys}, {values}, true}};
}

Grouping grouping_of(const FreeWidthModel& model, std::span<const LayerCurves> layers,
                     const std::vector<int>& choice) {
  Grouping grouping;
  for (std::size_t l = 0; l < layers.size(); ++l) {
    const auto chosen = [&](const std::vector<WidthPrice>& curve, std::size_t unit) {
      return curve[static_cast<std::size_t>(choice[unit])].width;
    };
    grouping.layers.push_back(
        layer_of(model, chosen(layers[l].keys, 2 * l), chosen(layers[l].values, 2 * l + 1)));
  }
  return grouping;
}

}  // namespace

std::vector<ModelPoint> free_width_front(const FreeWidthModel& model,
                                         std::span<const LayerCurves> layers) {
  std::vector<std::vector<SplitOption>> units;
  for (const LayerCurves& layer : layers) {
    units.push_back(options_of(layer.keys));
    units.push_back(options_of(layer.values));
  }
  const int limit = static_cast<int>(std::floor(model.size_limit * model.head_dim + 1e-6));
  std::vector<ModelPoint> front;
  for (const Split& split : improving_splits(budget_split(units, limit))) {
    Grouping grouping = grouping_of(model, layers, split.choice);
    const double size = grouping.size();
    front.push_back({std::move(grouping), {size, split.cost}});
  }
  return front;
}

int free_width_step(const FreeWidthModel& model, int layers, int least) {
  constexpr double kMostWork = 4e8;
  const double numbers = 2.0 * layers * model.heads * model.head_dim;
  int step = least;
  while (numbers / step * (numbers / step) > kMostWork) step *= 2;
  return step;
}

}  // namespace regroup::search
