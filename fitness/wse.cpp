#include "fitness/wse.hpp"

#include <memory>

#include "search/costs/gram_cost.hpp"

namespace regroup::fitness {

std::vector<search::LayerCosts> gram_costs(const std::vector<LayerGrams>& grams) {
  const auto table = [](const Eigen::MatrixXd& gram) {
    return std::make_shared<const search::GramCost>(gram);
  };
  std::vector<search::LayerCosts> costs;
  for (const LayerGrams& layer : grams) {
    costs.push_back({table(layer.keys), table(layer.values), table(layer.keys + layer.values)});
  }
  return costs;
}

std::vector<search::LayerCosts> Wse::layer_costs(const FitnessInput& input) const {
  return gram_costs(weight_grams(input.model, input.stop, input.progress));
}

}  // namespace regroup::fitness
