#include "tests/models/elements/naive_blocks.hpp"

#include <cmath>
#include <map>
#include <stdexcept>

namespace regroup::tests {
namespace {

/// Numbers of ggml's types in a file.
enum BlockType : std::uint32_t {
  kQ4_0 = 2,
  kQ4_1 = 3,
  kQ5_0 = 6,
  kQ5_1 = 7,
  kQ8_0 = 8,
  kQ4_K = 12,
  kQ5_K = 13,
  kQ6_K = 14
};

/// `count` bits from bit `first` of a run of bytes, the lowest bit of each byte first.
int bits_at(const std::uint8_t* bytes, int first, int count) {
  int value = 0;
  for (int i = 0; i < count; ++i) {
    const int at = first + i;
    value += (bytes[at / 8] >> (at % 8) & 1) << i;
  }
  return value;
}

/// The four bits of element i, 0 to 31, of 16 bytes.
int nibble(const std::uint8_t* bytes, int i) {
  return bits_at(bytes + i % 16, i < 16 ? 0 : 4, 4);
}

/// Number j of the 16 of 6 bits in 12 bytes: 0-7 scales, 8-15 least values.
int six_bits(const std::uint8_t* packed, int j) {
  const int part = j % 8;
  const bool least = j >= 8;
  if (part < 4) return bits_at(packed + part + (least ? 4 : 0), 0, 6);
  return bits_at(packed + part + 4, least ? 4 : 0, 4) +
         16 * bits_at(packed + part - 4 + (least ? 4 : 0), 6, 2);
}

}  // namespace

std::optional<NaiveBlock> naive_block(std::uint32_t type) {
  static const std::map<std::uint32_t, NaiveBlock> blocks = {
      {kQ4_0, {32, 18}}, {kQ4_1, {32, 20}},   {kQ5_0, {32, 22}},   {kQ5_1, {32, 24}},
      {kQ8_0, {32, 34}}, {kQ4_K, {256, 144}}, {kQ5_K, {256, 176}}, {kQ6_K, {256, 210}}};
  const auto found = blocks.find(type);
  return found == blocks.end() ? std::nullopt : std::optional(found->second);
}

double naive_half(const std::uint8_t* bytes) {
  const int bits = bytes[0] + 256 * bytes[1];
  const int exponent = bits / 1024 % 32;
  const double fraction = bits % 1024 / 1024.0;
  const double size =
      exponent == 0 ? std::ldexp(fraction, -14) : std::ldexp(1 + fraction, exponent - 15);
  return bits >= 32768 ? -size : size;
}

double naive_element(std::uint32_t type, const std::uint8_t* block, int i) {
  const int part = i / 32;
  const auto k_value = [&](int quant) {
    return naive_half(block) * six_bits(block + 4, part) * quant -
           naive_half(block + 2) * six_bits(block + 4, part + 8);
  };
  const auto k_nibble = [&](const std::uint8_t* quants) {
    return bits_at(quants + part / 2 * 32 + i % 32, part % 2 * 4, 4);
  };
  switch (type) {
    case kQ4_0:
      return naive_half(block) * (nibble(block + 2, i) - 8);
    case kQ4_1:
      return naive_half(block) * nibble(block + 4, i) + naive_half(block + 2);
    case kQ5_0:
      return naive_half(block) * (nibble(block + 6, i) + 16 * bits_at(block + 2, i, 1) - 16);
    case kQ5_1:
      return naive_half(block) * (nibble(block + 8, i) + 16 * bits_at(block + 4, i, 1)) +
             naive_half(block + 2);
    case kQ8_0:
      return naive_half(block) * static_cast<std::int8_t>(block[2 + i]);
    case kQ4_K:
      return k_value(k_nibble(block + 16));
    case kQ5_K:
      return k_value(k_nibble(block + 48) + 16 * bits_at(block + 16 + i % 32, part, 1));
    case kQ6_K: {
      const int half = i / 128;
      const int in_half = i % 128;
      const int low = bits_at(block + half * 64 + in_half % 64, in_half < 64 ? 0 : 4, 4);
      const int high = bits_at(block + 128 + half * 32 + in_half % 32, in_half / 32 * 2, 2);
      const int scale = static_cast<std::int8_t>(block[192 + i / 16]);
      return naive_half(block + 208) * scale * (low + 16 * high - 32);
    }
    default:
      throw std::runtime_error("type has no blocks that are known");
  }
}

}  // namespace regroup::tests
