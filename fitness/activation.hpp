#pragma once

#include "fitness/fitness.hpp"

namespace regroup::fitness {

/// Activation error of mean-merged heads: the weight-sharing error in the metric of what really
/// passes through the weights, Σ_h E‖(W^h − W̄) x‖² = Σ_h tr (W^h − W̄) C (W^h − W̄)ᵀ with C the
/// second moment of the attention input (METHODS §3, §7: ⟨Y^i, Y^j⟩ ∝ tr(W^i C W^jᵀ)); keys plus
/// values, mean over tokens. Needs moments. O(H_kv · d · D²) a layer.
class ActivationError : public Fitness {
 public:
  std::string_view name() const override { return "activation"; }
  PriceLabel label() const override { return {"activation", "activation error"}; }
  models::MergeNeeds needs() const override { return models::MergeNeeds::kMoments; }
  std::vector<search::LayerCosts> layer_costs(const FitnessInput& input) const override;
};

}  // namespace regroup::fitness
