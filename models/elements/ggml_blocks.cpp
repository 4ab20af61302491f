#include <Eigen/Core>

#include <cstring>

#include "models/elements/ggml_type.hpp"

// One function for each type: a block's bytes to its elements. The layouts of the blocks and the
// formulas are facts of ggml (ggml-common.h, ggml-quants.c).
namespace regroup::models {
namespace {

/// A block, with its fields read in their order.
class BlockBytes {
 public:
  explicit BlockBytes(const std::byte* bytes) : at_(bytes) {}

  float take_half() {
    Eigen::half value;
    std::memcpy(&value, at_, sizeof value);
    at_ += sizeof value;
    return static_cast<float>(value);
  }
  const std::uint8_t* take(std::size_t bytes) {
    const auto* here = reinterpret_cast<const std::uint8_t*>(at_);
    at_ += bytes;
    return here;
  }

 private:
  const std::byte* at_;
};

constexpr std::size_t kSmallBlock = 32;
constexpr std::size_t kHalfBlock = kSmallBlock / 2;
constexpr std::size_t kLargeBlock = 256;

std::uint32_t low_bits(std::uint8_t byte) {
  return byte & 0xfU;
}
std::uint32_t high_bits(std::uint8_t byte) {
  return static_cast<std::uint32_t>(byte) >> 4U;
}

void read_q8_0(BlockBytes block, float* out) {
  const float scale = block.take_half();
  const std::uint8_t* quants = block.take(kSmallBlock);
  for (std::size_t i = 0; i < kSmallBlock; ++i) {
    out[i] = static_cast<float>(static_cast<std::int8_t>(quants[i])) * scale;
  }
}

/// The first half of the elements stands in the low bits of the bytes, the second in the high ones.
void read_q4_0(BlockBytes block, float* out) {
  constexpr std::int32_t kZero = 8;
  const float scale = block.take_half();
  const std::uint8_t* quants = block.take(kHalfBlock);
  for (std::size_t i = 0; i < kHalfBlock; ++i) {
    out[i] = static_cast<float>(static_cast<std::int32_t>(low_bits(quants[i])) - kZero) * scale;
    out[i + kHalfBlock] =
        static_cast<float>(static_cast<std::int32_t>(high_bits(quants[i])) - kZero) * scale;
  }
}

void read_q4_1(BlockBytes block, float* out) {
  const float scale = block.take_half();
  const float least = block.take_half();
  const std::uint8_t* quants = block.take(kHalfBlock);
  for (std::size_t i = 0; i < kHalfBlock; ++i) {
    out[i] = static_cast<float>(low_bits(quants[i])) * scale + least;
    out[i + kHalfBlock] = static_cast<float>(high_bits(quants[i])) * scale + least;
  }
}

/// The 32 fifth bits, that of element i in bit i.
std::uint32_t take_fifth_bits(BlockBytes& block) {
  std::uint32_t bits = 0;
  std::memcpy(&bits, block.take(sizeof bits), sizeof bits);
  return bits;
}

std::uint32_t fifth_bit(std::uint32_t bits, std::size_t element) {
  return (bits >> element & 1U) << 4U;
}

void read_q5_0(BlockBytes block, float* out) {
  constexpr std::int32_t kZero = 16;
  const float scale = block.take_half();
  const std::uint32_t bits = take_fifth_bits(block);
  const std::uint8_t* quants = block.take(kHalfBlock);
  const auto value = [&](std::uint32_t low, std::size_t element) {
    const auto quant = static_cast<std::int32_t>(low | fifth_bit(bits, element));
    return static_cast<float>(quant - kZero) * scale;
  };
  for (std::size_t i = 0; i < kHalfBlock; ++i) {
    out[i] = value(low_bits(quants[i]), i);
    out[i + kHalfBlock] = value(high_bits(quants[i]), i + kHalfBlock);
  }
}

void read_q5_1(BlockBytes block, float* out) {
  const float scale = block.take_half();
  const float least = block.take_half();
  const std::uint32_t bits = take_fifth_bits(block);
  const std::uint8_t* quants = block.take(kHalfBlock);
  const auto value = [&](std::uint32_t low, std::size_t element) {
    return static_cast<float>(low | fifth_bit(bits, element)) * scale + least;
  };
  for (std::size_t i = 0; i < kHalfBlock; ++i) {
    out[i] = value(low_bits(quants[i]), i);
    out[i + kHalfBlock] = value(high_bits(quants[i]), i + kHalfBlock);
  }
}

/// Scale and least value of a part of 32 elements of a block of Q4_K or Q5_K.
struct Part {
  float scale;
  float least;
};

/// The parts' scales and least values are 8 and 8 numbers of 6 bits in 12 bytes: those of the first
/// four parts are the low bits of bytes 0-3 and 4-7, whose two high bits are the high bits of the
/// others, which have their low bits in bytes 8-11.
Part part_of(const std::uint8_t* packed, std::size_t part, float scale, float least) {
  constexpr std::uint32_t kSixBits = 63;
  std::uint32_t part_scale = packed[part] & kSixBits;
  std::uint32_t part_least = packed[part + 4] & kSixBits;
  if (part >= 4) {
    part_scale = low_bits(packed[part + 4]) | static_cast<std::uint32_t>(packed[part - 4] >> 6U)
                                                  << 4U;
    part_least = high_bits(packed[part + 4]) | static_cast<std::uint32_t>(packed[part] >> 6U) << 4U;
  }
  return {scale * static_cast<float>(part_scale), least * static_cast<float>(part_least)};
}

/// Two parts stand in the same 32 bytes, the first of them in the low bits. `fifth` has the fifth
/// bit of the elements i of all parts in byte i; null: there are none.
void read_k_parts(const std::uint8_t* packed, const std::uint8_t* fifth, const std::uint8_t* quants,
                  float scale, float least, float* out) {
  for (std::size_t part = 0; part < kLargeBlock / kSmallBlock; ++part) {
    const Part own = part_of(packed, part, scale, least);
    const std::uint8_t* bytes = quants + part / 2 * kSmallBlock;
    for (std::size_t i = 0; i < kSmallBlock; ++i) {
      std::uint32_t quant = part % 2 == 0 ? low_bits(bytes[i]) : high_bits(bytes[i]);
      if (fifth != nullptr) quant |= fifth_bit(fifth[i], part);
      out[part * kSmallBlock + i] = own.scale * static_cast<float>(quant) - own.least;
    }
  }
}

constexpr std::size_t kPackedScales = 12;

void read_q4_k(BlockBytes block, float* out) {
  const float scale = block.take_half();
  const float least = block.take_half();
  const std::uint8_t* packed = block.take(kPackedScales);
  read_k_parts(packed, nullptr, block.take(kLargeBlock / 2), scale, least, out);
}

void read_q5_k(BlockBytes block, float* out) {
  const float scale = block.take_half();
  const float least = block.take_half();
  const std::uint8_t* packed = block.take(kPackedScales);
  const std::uint8_t* fifth = block.take(kSmallBlock);
  read_k_parts(packed, fifth, block.take(kLargeBlock / 2), scale, least, out);
}

/// Halves of 128 elements: element 32 k + i of a half has its low four bits in byte i (k = 0, 2) or
/// 32 + i (k = 1, 3) of 64, the low or, from k = 2 on, the high ones, and its high two bits in byte
/// i of 32, from bit 2 k on. Every 16 elements have a signed scale.
void read_q6_k(BlockBytes block, float* out) {
  constexpr std::size_t kHalf = kLargeBlock / 2;
  constexpr std::size_t kScaled = 16;
  constexpr std::int32_t kZero = 32;
  const std::uint8_t* low = block.take(kLargeBlock / 2);
  const std::uint8_t* high = block.take(kLargeBlock / 4);
  const std::uint8_t* scales = block.take(kLargeBlock / kScaled);
  const float scale = block.take_half();
  for (std::size_t element = 0; element < kLargeBlock; ++element) {
    const std::size_t half = element / kHalf;
    const std::size_t k = element % kHalf / kSmallBlock;
    const std::size_t i = element % kSmallBlock;
    const std::uint8_t byte = low[half * kHalf / 2 + k % 2 * kSmallBlock + i];
    const std::uint32_t four = k < 2 ? low_bits(byte) : high_bits(byte);
    const std::uint32_t two = high[half * kSmallBlock + i] >> 2 * k & 3U;
    const auto part_scale = static_cast<float>(static_cast<std::int8_t>(scales[element / kScaled]));
    out[element] = scale * part_scale *
                   static_cast<float>(static_cast<std::int32_t>(four | two << 4U) - kZero);
  }
}

using ReadBlock = void (*)(BlockBytes block, float* out);

ReadBlock reader_of(GgmlType type) {
  switch (type) {
    case GgmlType::kQ4_0:
      return read_q4_0;
    case GgmlType::kQ4_1:
      return read_q4_1;
    case GgmlType::kQ5_0:
      return read_q5_0;
    case GgmlType::kQ5_1:
      return read_q5_1;
    case GgmlType::kQ8_0:
      return read_q8_0;
    case GgmlType::kQ4_K:
      return read_q4_k;
    case GgmlType::kQ5_K:
      return read_q5_k;
    case GgmlType::kQ6_K:
      return read_q6_k;
    default:
      return nullptr;
  }
}

}  // namespace

void read_blocks(GgmlType type, std::span<const std::byte> blocks, std::span<float> out) {
  const auto [elements, bytes] = block_of(type);
  const ReadBlock read = reader_of(type);
  const std::size_t count = out.size() / static_cast<std::size_t>(elements);
  for (std::size_t block = 0; block < count; ++block) {
    read(BlockBytes(blocks.data() + block * static_cast<std::size_t>(bytes)),
         out.data() + block * static_cast<std::size_t>(elements));
  }
}

}  // namespace regroup::models
