#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

/// Safetensors files put together by hand, so that they can be broken in any way.
namespace regroup::tests {

/// A number as eight little-endian bytes.
inline std::string little_endian64(std::uint64_t value) {
  std::string bytes;
  for (unsigned i = 0; i < 8; ++i) bytes += static_cast<char>(value >> (8 * i) & 0xffU);
  return bytes;
}

/// A file with the header and data given, and the length that the header really has.
inline std::string safetensors_bytes(std::string_view header, std::string_view data) {
  return little_endian64(header.size()) + std::string(header) + std::string(data);
}

/// A header's entry: `"name":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}`; the parts are put
/// in as they are.
inline std::string tensor_entry(std::string_view name, std::string_view dtype,
                                std::string_view shape, std::string_view offsets) {
  std::string text = "\"";
  text.append(name).append("\":{\"dtype\":\"").append(dtype).append("\",\"shape\":").append(shape);
  return text.append(",\"data_offsets\":").append(offsets).append("}");
}

/// A valid file with one tensor "x" of BF16, shape [2, 2], and the bytes given (8).
inline std::string small_safetensors(
    std::string_view data = std::string_view("\x80\x3f\x00\x40\x40\x40\x80\x40", 8)) {
  return safetensors_bytes("{" + tensor_entry("x", "BF16", "[2,2]", "[0,8]") + "}", data);
}

}  // namespace regroup::tests
