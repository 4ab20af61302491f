// Blocks of ggml's types read as floats, against the Python package gguf (block_goldens/) and
// against a naive version that looks up the bits of one element after another (naive_blocks.hpp).

#include <bit>
#include <cmath>
#include <map>

#include "models/elements/ggml_type.hpp"
#include "models/files/json_file.hpp"
#include "search/base/random.hpp"
#include "tests/models/elements/naive_blocks.hpp"
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
      const double expected = naive_element(static_cast<std::uint32_t>(type), block.data(), i);
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
