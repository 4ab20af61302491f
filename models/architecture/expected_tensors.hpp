#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/architecture/architecture_spec.hpp"

namespace regroup::models {

/// A tensor that a checkpoint of this model must hold.
struct ExpectedTensor {
  std::string name;
  std::vector<std::int64_t> shape;
};

/// Every tensor of the model, biases where the config asks for them.
std::vector<ExpectedTensor> expected_tensors(const ArchitectureSpec& spec,
                                             const ModelConfig& config);

}  // namespace regroup::models
