#include <array>
#include <cstdint>
#include <filesystem>
#include <random>
#include <string>
#include <string_view>

#include "models/checkpoint/checkpoint.hpp"
#include "models/checkpoint/finite_scan.hpp"
#include "models/checkpoint/safetensors.hpp"
#include "search/base/error.hpp"
#include "tests/fuzz/tensor_bytes.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/safetensors_bytes.hpp"
#include "tests/support/temporary_directory.hpp"

// Broken weight files: the reader works or throws InputError, and every byte of every tensor that
// it returns can be read. Meant to run under the address and undefined-behaviour sanitizers as
// well.
namespace regroup::models {
namespace {

using tests::safetensors_bytes;
using tests::TemporaryDirectory;
using tests::tensor_entry;

using Random = std::mt19937_64;

/// A number below `bound`; its small bias does not matter here.
std::size_t below(Random& random, std::size_t bound) {
  return random() % bound;
}

std::string valid_header() {
  return R"({"__metadata__":{"format":"pt"},)" + tensor_entry("a", "F32", "[2,3]", "[0,24]") + "," +
         tensor_entry("b.weight", "BF16", "[4]", "[24,32]") + "," +
         tensor_entry("c", "U8", "[]", "[32,33]") + "," +
         tensor_entry("d", "F16", "[0]", "[33,33]") + "," +
         tensor_entry("e", "I64", "[1,1]", "[33,41]") + "}";
}

/// What is likely to change a header's meaning without breaking its syntax.
constexpr std::array<std::string_view, 24> kPieces = {"0",
                                                      "1",
                                                      "-1",
                                                      "4",
                                                      "24",
                                                      "18446744073709551615",
                                                      "9223372036854775807",
                                                      "1e300",
                                                      "0.5",
                                                      "null",
                                                      "[]",
                                                      "{}",
                                                      "\"a\"",
                                                      "\"F64\"",
                                                      "\"F4\"",
                                                      "true",
                                                      "[0,41]",
                                                      ",",
                                                      ":",
                                                      "]",
                                                      "}",
                                                      "\"",
                                                      "\\u00",
                                                      "\"__metadata__\":{},"};

void replace_number(Random& random, std::string& text) {
  const std::size_t start = text.find_first_of("0123456789", below(random, text.size()));
  if (start == std::string::npos) return;
  std::size_t end = text.find_first_not_of("0123456789", start);
  if (end == std::string::npos) end = text.size();
  text.replace(start, end - start, kPieces[below(random, kPieces.size())]);
}

void mutate(Random& random, std::string& text) {
  if (text.empty()) return;
  const std::size_t at = below(random, text.size());
  switch (below(random, 7)) {
    case 0:
      text[at] = static_cast<char>(random());
      break;
    case 1:
      text[at] = static_cast<char>(static_cast<unsigned char>(text[at]) ^ (1U << below(random, 8)));
      break;
    case 2:
      text.erase(at, 1 + below(random, 8));
      break;
    case 3:
      text.insert(at, kPieces[below(random, kPieces.size())]);
      break;
    case 4:
      text.insert(at, text.substr(below(random, text.size()), below(random, 60)));
      break;
    case 5:
      text.resize(at);
      break;
    default:
      replace_number(random, text);
  }
}

struct Outcomes {
  std::size_t accepted = 0;
  std::size_t refused = 0;
  std::size_t foreign_bytes = 0;  ///< in tensors, that no file was filled with
};

void check(const TensorView& tensor, Outcomes& outcomes) {
  REQUIRE(tensor.bytes.size() == tests::bytes_of_shape(tensor));
  outcomes.foreign_bytes += tests::count_foreign_bytes(tensor, "x");
  static_cast<void>(first_not_finite(tensor));
  if (is_weight_dtype(tensor.dtype)) {
    REQUIRE(to_floats(tensor).size() * byte_width(tensor.dtype) == tensor.bytes.size());
  }
}

/// Opens the file; whatever is thrown but InputError fails the test.
void try_to_read(const std::filesystem::path& path, Outcomes& outcomes) {
  try {
    const SafetensorsFile file(path);
    for (const TensorView& tensor : file.tensors()) {
      check(tensor, outcomes);
      REQUIRE(file.find(tensor.name) == &tensor);
    }
    ++outcomes.accepted;
  } catch (const InputError& error) {
    const std::string message = error.what();
    REQUIRE(message.size() < 2000);
    ++outcomes.refused;
  }
}

TEST_CASE("mutated headers in files of the right frame") {
  const TemporaryDirectory directory;
  Random random(20'240'601);  // NOLINT: a fixed seed, so that a failure can be repeated
  Outcomes outcomes;
  for (int i = 0; i < 6000; ++i) {
    std::string header = valid_header();
    for (std::size_t n = 1 + below(random, 3); n > 0; --n) mutate(random, header);
    const std::size_t error = below(random, 8) == 0 ? 1 : 0;
    const std::string data(41 + error, 'x');
    try_to_read(directory.write("a.safetensors", safetensors_bytes(header, data)), outcomes);
  }
  CHECK(outcomes.accepted > 50);
  CHECK(outcomes.foreign_bytes == 0);
  CHECK(outcomes.refused > 3000);
}

TEST_CASE("mutated files") {
  const TemporaryDirectory directory;
  Random random(7);  // NOLINT
  Outcomes outcomes;
  const std::string valid = safetensors_bytes(valid_header(), std::string(41, 'x'));
  for (int i = 0; i < 4000; ++i) {
    std::string bytes = valid;
    for (std::size_t n = 1 + below(random, 2); n > 0; --n) mutate(random, bytes);
    try_to_read(directory.write("a.safetensors", bytes), outcomes);
  }
  CHECK(outcomes.accepted > 50);
  CHECK(outcomes.foreign_bytes > 0);  // mutated in the data
  CHECK(outcomes.refused > 2000);
}

TEST_CASE("mutated indexes and configurations") {
  const TemporaryDirectory directory;
  const auto one = [](std::string_view name) {
    return safetensors_bytes("{" + tensor_entry(name, "U8", "[1]", "[0,1]") + "}", "x");
  };
  directory.write("s1.safetensors", one("a"));
  directory.write("s2.safetensors", one("b"));
  Random random(11);  // NOLINT
  Outcomes outcomes;
  for (int i = 0; i < 3000; ++i) {
    std::string index = R"({"metadata":{"total_size":2},"weight_map":)"
                        R"({"a":"s1.safetensors","b":"s2.safetensors"}})";
    std::string config = R"({"model_type":"llama","layers":[1,2.5e3,null,"\u00e9"]})";
    mutate(random, below(random, 4) == 0 ? config : index);
    directory.write("config.json", config);
    directory.write("model.safetensors.index.json", index);
    try {
      const Checkpoint checkpoint(directory.path());
      for (const std::string& name : checkpoint.names()) check(checkpoint.tensor(name), outcomes);
      ++outcomes.accepted;
    } catch (const InputError&) {
      ++outcomes.refused;
    }
  }
  CHECK(outcomes.accepted > 50);
  CHECK(outcomes.foreign_bytes == 0);
  CHECK(outcomes.refused > 1500);
}

}  // namespace
}  // namespace regroup::models
