#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/architecture/model_config.hpp"

namespace regroup::models {

/// A tensor that an attention layer of mixtures has besides its projections, by its name in the
/// layer.
struct MixtureTensorShape {
  std::string name;
  std::vector<std::int64_t> shape;
};

/// All of them; the model's config has a mixture. "key_1.weight", … of further keys, or "shifts";
/// "prior".
std::vector<MixtureTensorShape> mixture_tensors(const ModelConfig& config);

}  // namespace regroup::models
