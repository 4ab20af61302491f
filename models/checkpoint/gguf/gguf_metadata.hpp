#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace regroup::models {

/// A value of a GGUF file's metadata: a number, a text, or an array of one of these.
using GgufValue =
    std::variant<std::uint8_t, std::int8_t, std::uint16_t, std::int16_t, std::uint32_t,
                 std::int32_t, float, bool, std::string, std::uint64_t, std::int64_t, double,
                 std::vector<std::uint8_t>, std::vector<std::int8_t>, std::vector<std::uint16_t>,
                 std::vector<std::int16_t>, std::vector<std::uint32_t>, std::vector<std::int32_t>,
                 std::vector<float>, std::vector<bool>, std::vector<std::string>,
                 std::vector<std::uint64_t>, std::vector<std::int64_t>, std::vector<double>>;

struct GgufEntry {
  std::string key;  ///< "llama.context_length"
  GgufValue value;
};

/// Key-value pairs in the order of the file.
using GgufMetadata = std::vector<GgufEntry>;

}  // namespace regroup::models
