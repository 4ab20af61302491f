#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace regroup::models {

/// The unsigned number that up to eight bytes hold, lowest byte first. Example: 02 01 → 258.
inline std::uint64_t read_little_endian(std::span<const std::byte> bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) {
    value = value << 8U | std::to_integer<std::uint64_t>(bytes[i]);
  }
  return value;
}

}  // namespace regroup::models
