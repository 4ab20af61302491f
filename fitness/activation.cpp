#include "fitness/activation.hpp"

#include "fitness/wse.hpp"
#include "search/base/error.hpp"

namespace regroup::fitness {

std::vector<search::LayerCosts> ActivationError::layer_costs(const FitnessInput& input) const {
  if (input.calibration == nullptr) throw WorkError({.what = "activation error needs calibration"});
  return gram_costs(activation_grams(input.model, *input.calibration, input.stop, input.progress));
}

}  // namespace regroup::fitness
