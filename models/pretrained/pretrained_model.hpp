#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "models/architecture/architecture_spec.hpp"
#include "models/architecture/layer_place.hpp"
#include "models/architecture/stored_projection.hpp"
#include "models/checkpoint/checkpoint.hpp"

namespace regroup::models {

/// An opened and checked checkpoint: its files, its family and what its config says. Thread-safe
/// for concurrent use of const members; tensors stay valid while the object lives.
struct PretrainedModel {
  Checkpoint checkpoint;
  const ArchitectureSpec& spec;
  ModelConfig config;
  /// Of the attention weights, hence of the KV cache; F16, as llama.cpp caches, of quantized ones.
  DType dtype;
  /// How tensors of the family are called in this checkpoint, where that is not their own name.
  std::map<std::string, std::string, std::less<>> stored_names;
  /// Keys of config.json that nothing is known of.
  std::vector<std::string> unknown_keys;

  std::string name() const { return checkpoint.name(); }
  LayerPlace place(int layer) const { return place_of(spec, config, layer); }
  /// How a tensor of the family is called in this checkpoint.
  std::string stored_name(std::string_view name) const;
  /// A tensor by the family's name for it.
  const TensorView& tensor(std::string_view name) const;
  /// The tensor that holds a projection of a layer, or its bias, perhaps with others.
  const TensorView& weight_tensor(int layer, AttentionRole role) const;
  const TensorView& bias_tensor(int layer, AttentionRole role) const;
};

/// Opens a Hugging Face directory or a GGUF file, and checks that every tensor of the model is
/// there with its shape and a supported element type (F32, F16, BF16, F64, or blocks). Names are
/// those that transformers renames on loading, too. A head is tied to the token table where
/// config.json says so, unless the checkpoint stores another one. Throws InputError.
PretrainedModel open_model(const std::filesystem::path& path);

/// Throws InputError if the model's layers have their own numbers of heads: it runs as it is, its
/// source is what can be grouped.
void require_equal_layers(const PretrainedModel& model);

/// Throws InputError, naming the tensor and the element, if an attention projection or its bias
/// holds NaN or Inf. Reads those tensors once and gives their memory back.
void require_finite_attention(const PretrainedModel& model);

}  // namespace regroup::models
