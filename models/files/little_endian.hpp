#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace regroup::models {

/// The unsigned number that up to eight bytes hold, lowest byte first. Example: 02 01 → 258.
inline std::uint64_t read_little_endian(std::span<const std::byte> bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) {
    value = value << 8U | std::to_integer<std::uint64_t>(bytes[i]);
  }
  return value;
}

/// Appends the lowest `bytes` bytes of a number, lowest first. Example: 258, 2 → 02 01.
inline void append_little_endian(std::string& out, std::uint64_t value, std::size_t bytes) {
  for (std::size_t i = 0; i < bytes; ++i) {
    out += static_cast<char>(value & 0xffU);
    value >>= 8U;
  }
}

}  // namespace regroup::models
