#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <random>
#include <string>

#include "models/checkpoint/checkpoint.hpp"
#include "models/checkpoint/finite_scan.hpp"
#include "models/checkpoint/gguf/gguf_header.hpp"
#include "models/pretrained/pretrained_model.hpp"
#include "models/text/gguf_tokenizer_files.hpp"
#include "search/base/error.hpp"
#include "tests/fixtures/tiny_gguf.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temporary_directory.hpp"

// Broken GGUF files: they are read or refused with InputError, and every element of every tensor of
// one that is read can be read. Meant to run under the address and undefined-behaviour sanitizers
// as well.
namespace regroup::models {
namespace {

using tests::TemporaryDirectory;
using tests::TinyGguf;

using Random = std::mt19937_64;

std::size_t below(Random& random, std::size_t bound) {
  return random() % bound;
}

/// A model with values of every type, tensors of several, and a tokenizer.
std::string valid_file(const TemporaryDirectory& directory) {
  TinyGguf model;
  model.set("tokenizer.ggml.model", std::string("llama"));
  model.set("tokenizer.ggml.tokens", std::vector<std::string>{"<unk>", "<s>", "</s>", "a", "b"});
  model.set("tokenizer.ggml.scores", std::vector<float>{0, 0, 0, -1, -2});
  model.set("tokenizer.ggml.token_type", std::vector<std::int32_t>{2, 3, 3, 1, 1});
  model.set("general.alignment", std::uint32_t{32});
  model.set("general.sizes", std::vector<std::uint64_t>{1, 2});
  model.set("general.flags", std::vector<bool>{true, false});
  model.set("general.small", std::uint8_t{3});
  model.set("general.exact", 0.5);
  model.add("blk.0.attn_k.weight", {16, 32}, GgmlType::kQ4_0);
  model.add("blk.1.ffn_up.weight", {64, 32}, GgmlType::kF16);
  model.write(directory.path() / "valid.gguf");
  return tests::read_file(directory.path() / "valid.gguf");
}

/// What lengths, counts and types turn into.
constexpr std::array<std::uint64_t, 10> kNumbers = {
    0, 1, 2, 9, 31, 255, 0xffff'ffff, 0x7fff'ffff'ffff'ffff, 0x8000'0000'0000'0000, ~0ULL};

void mutate(Random& random, std::string& bytes, std::size_t header) {
  const std::size_t at = below(random, std::min(header, bytes.size()));
  switch (below(random, 5)) {
    case 0:
      bytes[at] = static_cast<char>(random());
      break;
    case 1:
      bytes[at] =
          static_cast<char>(static_cast<unsigned char>(bytes[at]) ^ (1U << below(random, 8)));
      break;
    case 2: {
      const std::uint64_t number = kNumbers[below(random, kNumbers.size())];
      std::memcpy(&bytes[at], &number,
                  std::min<std::size_t>(bytes.size() - at, below(random, 2) == 0 ? 4 : 8));
      break;
    }
    case 3:
      bytes.erase(at, 1 + below(random, 8));
      break;
    default:
      if (below(random, 4) == 0) bytes.resize(at + 1);
  }
}

struct Outcomes {
  std::size_t opened = 0;
  std::size_t refused = 0;
  std::size_t tokenizers = 0;
};

void try_checkpoint(const std::filesystem::path& file, Outcomes& outcomes) {
  try {
    const Checkpoint checkpoint(file);
    for (const std::string& name : checkpoint.names()) {
      const TensorView& tensor = checkpoint.tensor(name);
      REQUIRE(to_floats(tensor).size() == static_cast<std::size_t>(tensor.elements()));
      static_cast<void>(first_not_finite(tensor));
    }
    static_cast<void>(open_model(file));
    ++outcomes.opened;
  } catch (const InputError& error) {
    REQUIRE(std::string(error.what()).size() < 2000);
    ++outcomes.refused;
  }
}

void try_tokenizer(const std::filesystem::path& file, Outcomes& outcomes) {
  try {
    const auto files = gguf_tokenizer_files(read_gguf_metadata(file), file.string());
    REQUIRE(file_contents(files).contains("tokenizer_config.json"));
    ++outcomes.tokenizers;
  } catch (const InputError& error) {
    REQUIRE(std::string(error.what()).size() < 2000);
  }
}

TEST_CASE("mutated GGUF headers") {
  const TemporaryDirectory directory;
  const std::string valid = valid_file(directory);
  // All before the numbers: the header ends with the entry of the last tensor.
  const std::size_t header = valid.rfind("token_embd.weight") + 64;
  Random random(20'240'701);  // NOLINT: a fixed seed, so that a failure can be repeated
  Outcomes outcomes;
  for (int i = 0; i < 6000; ++i) {
    std::string bytes = valid;
    for (std::size_t n = 1 + below(random, 2); n > 0; --n) mutate(random, bytes, header);
    const auto file = directory.write("a.gguf", bytes);
    try_checkpoint(file, outcomes);
    try_tokenizer(file, outcomes);
  }
  CHECK(outcomes.opened > 50);
  CHECK(outcomes.tokenizers > 50);
  CHECK(outcomes.refused > 2000);
}

}  // namespace
}  // namespace regroup::models
