#pragma once

#include <ATen/ATen.h>

#include <string>

#include "models/pretrained/pretrained_model.hpp"
#include "models/tensors/compute.hpp"
#include "models/tensors/linear.hpp"
#include "models/tensors/norm.hpp"

namespace regroup::models {

/// Reads modules of one checkpoint, checked to be finite, as one computation wants them. Throws
/// InputError for NaN or Inf. Refers to its arguments.
class ModuleReader {
 public:
  ModuleReader(const PretrainedModel& model, const ComputeOptions& options)
      : model_(model), options_(options) {}

  const PretrainedModel& model() const { return model_; }
  const ModelConfig& config() const { return model_.config; }
  const ComputeOptions& options() const { return options_; }

  /// A tensor by its whole name, on the device.
  at::Tensor tensor(std::string_view name) const;
  /// The weight of a module.
  at::Tensor weight(std::string_view module) const {
    return tensor(std::string(module) + ".weight");
  }
  /// Its weight may stay in host memory (weight_place.hpp).
  Linear linear(std::string_view module, bool has_bias) const;
  /// A norm over D.
  Norm norm(std::string_view module) const;

 private:
  /// As it is in the checkpoint.
  at::Tensor stored(std::string_view name) const;

  const PretrainedModel& model_;
  const ComputeOptions& options_;
};

}  // namespace regroup::models
