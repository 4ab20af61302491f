#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>

#include "models/checkpoint/weight_file.hpp"

namespace regroup::models {

/// A model in one GGUF file, as llama.cpp's converter or this program writes it: its tensors by the
/// names and in the order of rows that a Hugging Face checkpoint has them, and the config.json that
/// its metadata stand for.
///
/// Opening reads the header. Numbers stay in the mapped file, also in blocks, until somebody reads
/// them. Views stay valid when the object is moved. Thread-safe for concurrent use of const
/// members.
class GgufFile : public WeightFile {
 public:
  /// Maps and checks the file. Throws InputError as read_gguf_header and gguf_config, and for
  /// architectures that are not read.
  explicit GgufFile(const std::filesystem::path& path);

  /// What config.json would say.
  const nlohmann::json& config() const { return config_; }

 private:
  nlohmann::json config_;
};

}  // namespace regroup::models
