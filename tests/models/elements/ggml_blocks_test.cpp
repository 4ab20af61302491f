// Blocks of ggml's types read as floats, against the Python package gguf (block_goldens/) and
// against a naive version that looks up the bits of one element after another.

#include <bit>
#include <cmath>
#include <map>

#include "models/elements/ggml_type.hpp"
#include "models/files/json_file.hpp"
#include "search/base/random.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/paths.hpp"

using namespace regroup;
using namespace regroup::models;
using namespace regroup::tests;

namespace {

using Bytes = std::vector<std::uint8_t>;

const std::map<std::string, GgmlType> kBlockTypes = {
    {"Q4_0", GgmlType::kQ4_0}, {"Q4_1", GgmlType::kQ4_1}, {"Q5_0", GgmlType::kQ5_0},
    {"Q5_1", GgmlType::kQ5_1}, {"Q8_0", GgmlType::kQ8_0}, {"Q4_K", GgmlType::kQ4_K},
    {"Q5_K", GgmlType::kQ5_K}, {"Q6_K", GgmlType::kQ6_K}};

double half_at(const std::uint8_t* bytes) {
  const int bits = bytes[0] + 256 * bytes[1];
  const int exponent = bits / 1024 % 32;
  const double fraction = bits % 1024 / 1024.0;
  const double size =
      exponent == 0 ? std::ldexp(fraction, -14) : std::ldexp(1 + fraction, exponent - 15);
  return bits >= 32768 ? -size : size;
}

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

/// Element i of a block of each type, in double.
double naive_element(GgmlType type, const std::uint8_t* block, int i) {
  const int part = i / 32;
  const auto k_value = [&](int quant) {
    return half_at(block) * six_bits(block + 4, part) * quant -
           half_at(block + 2) * six_bits(block + 4, part + 8);
  };
  const auto k_nibble = [&](const std::uint8_t* quants) {
    return bits_at(quants + part / 2 * 32 + i % 32, part % 2 * 4, 4);
  };
  switch (type) {
    case GgmlType::kQ4_0:
      return half_at(block) * (nibble(block + 2, i) - 8);
    case GgmlType::kQ4_1:
      return half_at(block) * nibble(block + 4, i) + half_at(block + 2);
    case GgmlType::kQ5_0:
      return half_at(block) * (nibble(block + 6, i) + 16 * bits_at(block + 2, i, 1) - 16);
    case GgmlType::kQ5_1:
      return half_at(block) * (nibble(block + 8, i) + 16 * bits_at(block + 4, i, 1)) +
             half_at(block + 2);
    case GgmlType::kQ8_0:
      return half_at(block) * static_cast<std::int8_t>(block[2 + i]);
    case GgmlType::kQ4_K:
      return k_value(k_nibble(block + 16));
    case GgmlType::kQ5_K:
      return k_value(k_nibble(block + 48) + 16 * bits_at(block + 16 + i % 32, part, 1));
    default: {  // Q6_K
      const int half = i / 128;
      const int in_half = i % 128;
      const int low = bits_at(block + half * 64 + in_half % 64, in_half < 64 ? 0 : 4, 4);
      const int high = bits_at(block + 128 + half * 32 + in_half % 32, in_half / 32 * 2, 2);
      const int scale = static_cast<std::int8_t>(block[192 + i / 16]);
      return half_at(block + 208) * scale * (low + 16 * high - 32);
    }
  }
}

std::vector<float> read(GgmlType type, const Bytes& blocks) {
  const auto [elements, bytes] = block_of(type);
  std::vector<float> values(blocks.size() / static_cast<std::size_t>(bytes) *
                            static_cast<std::size_t>(elements));
  read_blocks(type, std::as_bytes(std::span(blocks)), values);
  return values;
}

Bytes from_hex(const std::string& text) {
  Bytes bytes;
  for (std::size_t at = 0; at < text.size(); at += 2) {
    bytes.push_back(static_cast<std::uint8_t>(std::stoi(text.substr(at, 2), nullptr, 16)));
  }
  return bytes;
}

}  // namespace

TEST_CASE("blocks of every type are read as the Python package gguf reads them, bit for bit") {
  const auto goldens =
      read_json_file(source_folder() / "tests/models/elements/block_goldens/blocks.json");
  REQUIRE(goldens["types"].size() == kBlockTypes.size());
  for (const auto& [name, type] : kBlockTypes) {
    const auto& golden = goldens["types"][name];
    const std::vector<float> values = read(type, from_hex(golden["blocks"]));
    REQUIRE(values.size() == golden["bits"].size());
    std::size_t equal = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
      equal += std::bit_cast<std::uint32_t>(values[i]) == golden["bits"][i];
    }
    INFO(name);
    CHECK(equal == values.size());
  }
}

TEST_CASE("elements of blocks are what the bits of each say, looked up one by one") {
  search::RandomStream random{search::RandomKey(3)};
  for (const auto& [name, type] : kBlockTypes) {
    const auto [elements, bytes] = block_of(type);
    Bytes block(static_cast<std::size_t>(bytes));
    for (std::uint8_t& byte : block) byte = static_cast<std::uint8_t>(256 * random.unit());
    // Scales below 2: the exponent's highest bit is clear.
    for (const int at : {1, 3, static_cast<int>(bytes) - 1}) {
      block[static_cast<std::size_t>(at)] &= 0xbfU;
    }
    const std::vector<float> values = read(type, block);
    INFO(name);
    REQUIRE(values.size() == static_cast<std::size_t>(elements));
    for (int i = 0; i < elements; ++i) {
      const double expected = naive_element(type, block.data(), i);
      const double found = values[static_cast<std::size_t>(i)];
      CHECK(std::abs(found - expected) <= 1e-3 + 1e-6 * std::abs(expected));
    }
  }
}

TEST_CASE("types of ggml are known by their numbers, and their rows are whole blocks") {
  CHECK(ggml_type_of_number(12) == GgmlType::kQ4_K);
  CHECK(ggml_type_of_number(30) == GgmlType::kBF16);
  CHECK_FALSE(ggml_type_of_number(10));
  CHECK(fits_rows(GgmlType::kQ6_K, 512));
  CHECK_FALSE(fits_rows(GgmlType::kQ6_K, 128));
  CHECK(tensor_bytes(GgmlType::kQ5_1, std::vector<std::int64_t>{3, 64}) == 3 * 2 * 24);
  CHECK_FALSE(tensor_bytes(GgmlType::kQ5_1, std::vector<std::int64_t>{3, 63}));
}
