#pragma once

#include <ATen/ATen.h>

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "models/overlay/weight_overlay.hpp"
#include "models/pretrained/pretrained_model.hpp"
#include "models/tensors/compute.hpp"
#include "models/tensors/linear.hpp"
#include "models/tensors/norm.hpp"

namespace regroup::models {

/// A tensor of a model.
struct ReadTensor {
  at::Tensor used;    ///< as its module computes with it
  at::Tensor stored;  ///< in the checkpoint's shape: the overlay's own where that records gradients
};
/// By names in the checkpoint.
using ReadTensors = std::map<std::string, ReadTensor, std::less<>>;

/// Reads modules of one model as one computation wants them, and remembers what it has read: of an
/// overlay what that names, of another model with the same computation the rest, and from the
/// checkpoint, checked to be finite, what neither has. Throws InputError for NaN or Inf there, and
/// for a tensor of the overlay that has another shape than the checkpoint's. Refers to its
/// arguments.
class ModuleReader {
 public:
  ModuleReader(const PretrainedModel& model, const ComputeOptions& options)
      : model_(model), options_(options) {}
  ModuleReader(const PretrainedModel& model, const ComputeOptions& options,
               const WeightOverlay& overlay, const ReadTensors& base)
      : model_(model), options_(options), overlay_(&overlay), base_(&base) {}

  const PretrainedModel& model() const { return model_; }
  const ModelConfig& config() const { return model_.config; }
  const ComputeOptions& options() const { return options_; }

  /// A tensor by its whole name, on the device.
  at::Tensor tensor(std::string_view name) { return take(name, Use::kAsItIs); }
  /// The weight of a module.
  at::Tensor weight(std::string_view module) { return tensor(std::string(module) + ".weight"); }
  /// A table of rows [ids, D], which may have another element type (ComputeOptions::scratch).
  at::Tensor table(std::string_view module) {
    return take(std::string(module) + ".weight", Use::kTable);
  }
  /// Its weight may stay in host memory (weight_place.hpp).
  Linear linear(std::string_view module, bool has_bias);
  /// A norm over D.
  Norm norm(std::string_view module);
  /// The same where the family has one.
  std::optional<Norm> norm_if_named(std::string_view module);

  /// All that was read.
  ReadTensors take_tensors() && { return std::move(read_); }

 private:
  enum class Use {
    kAsItIs,
    kTable,
    kMatrix,  ///< of a linear map, [out, in] for its module whatever the checkpoint has
  };

  at::Tensor take(std::string_view name, Use use);
  ReadTensor read(const std::string& name, Use use) const;
  /// A copy as it is in the checkpoint.
  at::Tensor from_checkpoint(const TensorView& view) const;
  /// Whether the module's weight is the transposed of the checkpoint's tensor.
  bool turns(Use use) const;
  /// Whether the module computes with the bytes of the file.
  bool stays_in_file(const TensorView& view, Use use) const;
  at::Tensor placed(const at::Tensor& tensor, Use use) const;

  const PretrainedModel& model_;
  const ComputeOptions& options_;
  const WeightOverlay* overlay_ = nullptr;
  const ReadTensors* base_ = nullptr;
  ReadTensors read_;
};

}  // namespace regroup::models
