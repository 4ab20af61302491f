#pragma once

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "models/checkpoint/dtype.hpp"

namespace regroup::tests {

/// Shape of a tiny random Llama checkpoint.
struct TinyLlama {
  int layers = 2;
  int width = 12;
  int query_heads = 4;
  int kv_heads = 4;
  int head_dim = 4;
  int mlp_width = 10;
  int vocabulary = 20;
  int context = 16;
  bool bias = false;
  bool tied = true;
  models::DType dtype = models::DType::kF32;
  std::uint64_t seed = 1;

  /// Its config.json.
  nlohmann::json config() const;
  /// Every tensor's values (float32, of the size of weights that make errors visible) by name.
  std::map<std::string, std::vector<float>> tensors() const;
  /// Writes the directory: config.json and model.safetensors.
  void write(const std::filesystem::path& directory) const;
  /// The same with other tensors, to break something.
  void write(const std::filesystem::path& directory,
             const std::map<std::string, std::vector<float>>& tensors) const;
};

}  // namespace regroup::tests
