#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace regroup::tests {

/// A GGUF file read by the letter of the format's description, with nothing of the writer's code.
struct GgufFile {
  struct Tensor {
    std::vector<std::uint64_t> sizes;  ///< the innermost first, as the file says them
    std::uint32_t type = 0;
    std::uint64_t offset = 0;  ///< from the beginning of the file
  };

  explicit GgufFile(const std::filesystem::path& path);

  bool has(const std::string& name) const { return tensors.contains(name); }
  /// The elements of a tensor, F32, F16, BF16 or in blocks, row after row.
  std::vector<double> values(const std::string& name) const;
  /// A number of the metadata, of a layer where it is a list.
  int number(const std::string& key, std::size_t layer = 0) const;

  std::string bytes;
  nlohmann::json metadata;
  std::vector<std::string> keys;  ///< in the order of the file
  std::map<std::string, Tensor> tensors;
};

}  // namespace regroup::tests
