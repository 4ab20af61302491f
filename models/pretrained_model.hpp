#pragma once

#include <filesystem>

#include "models/architecture/architecture_spec.hpp"
#include "models/checkpoint/checkpoint.hpp"

namespace regroup::models {

/// An opened and checked checkpoint: its files, its family and what its config says. Thread-safe
/// for concurrent use of const members; tensors stay valid while the object lives.
struct PretrainedModel {
  Checkpoint checkpoint;
  const ArchitectureSpec& spec;
  ModelConfig config;
  DType dtype;  ///< of the attention weights, hence of the KV cache

  std::string name() const { return checkpoint.name(); }
  /// A tensor of one layer's module: `suffix` is ".weight" or ".bias".
  const TensorView& tensor(std::string_view module, int layer,
                           std::string_view suffix = ".weight") const;
  /// The same, or null where the model has none (biases).
  const TensorView* find(std::string_view module, int layer, std::string_view suffix) const;
};

/// Opens a Hugging Face directory and checks that every tensor of the model is there with its shape
/// and a supported element type (F32, F16, BF16). Throws InputError.
PretrainedModel open_model(const std::filesystem::path& directory);

/// Throws InputError, naming the tensor and the element, if an attention projection or its bias
/// holds NaN or Inf. Reads those tensors once and gives their memory back.
void require_finite_attention(const PretrainedModel& model);

}  // namespace regroup::models
