#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace regroup::models {

/// A value of a GGUF file's metadata: a number, a text, or an array of one of these.
using GgufValue =
    std::variant<std::uint32_t, std::int32_t, float, bool, std::string, std::vector<std::uint8_t>,
                 std::vector<std::int32_t>, std::vector<float>, std::vector<std::string>>;

struct GgufEntry {
  std::string key;  ///< "llama.context_length"
  GgufValue value;
};

/// Key-value pairs in the order of the file.
using GgufMetadata = std::vector<GgufEntry>;

}  // namespace regroup::models
