#pragma once

#include "fitness/fitness.hpp"
#include "fitness/layer_grams.hpp"

namespace regroup::fitness {

/// Weight-sharing error of mean-merged heads (QCQA, arXiv 2406.10247; METHODS §2): squared
/// Frobenius distance of the weights to their group's mean, keys plus values. Biases do not count.
class Wse : public Fitness {
 public:
  std::string_view name() const override { return "wse"; }
  PriceLabel label() const override { return {"WSE", "weight-sharing error (WSE)"}; }
  std::vector<search::LayerCosts> layer_costs(const FitnessInput& input) const override;
};

/// Cost tables of layers whose heads are known by their Grams; a joint partition costs the sum.
std::vector<search::LayerCosts> gram_costs(const std::vector<LayerGrams>& grams);

}  // namespace regroup::fitness
