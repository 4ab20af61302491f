#include <array>
#include <random>
#include <string>

#include "models/files/json_file.hpp"
#include "models/text/make_tokenizer.hpp"
#include "models/text/tokenizer.hpp"
#include "search/base/error.hpp"
#include "tests/fixtures/sentencepiece_file.hpp"
#include "tests/fixtures/tiny_tokenizer.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/temporary_directory.hpp"

// Broken tokenizer files: the reader works or throws InputError, and what it reads can encode.
// Meant to run under the address and undefined-behaviour sanitizers as well.
namespace regroup::models {
namespace {

using nlohmann::json;
using Random = std::mt19937_64;

/// What is likely to change the meaning of a field.
json random_value(Random& random) {
  static const std::array<json, 14> kValues = {json(nullptr),  json(true),
                                               json(-1),       json(0),
                                               json(3),        json(1e300),
                                               json(""),       json("a"),
                                               json("BPE"),    json("ByteLevel"),
                                               json("(a+"),    json::array(),
                                               json::object(), json::array({1, "x", nullptr})};
  return kValues[random() % kValues.size()];
}

/// Replaces or removes a value somewhere in a document.
void mutate(json& node, Random& random) {
  const bool leaf = !node.is_structured() || node.empty();
  if (leaf || random() % 6 == 0) {
    node = random_value(random);
    return;
  }
  auto child = node.begin();
  std::advance(child, static_cast<std::ptrdiff_t>(random() % node.size()));
  if (random() % 8 == 0) {
    node.erase(child);
  } else {
    mutate(*child, random);
  }
}

/// True if the document was read.
bool reads(const std::string& document) {
  const tests::TemporaryDirectory scratch;
  scratch.write("tokenizer.json", document);
  try {
    const auto tokenizer = load_tokenizer(scratch.path());
    for (const char* text : {"", "the thing", "na\u00efve \u4f60\u597d, 12", "<|end|>[CLS]  "}) {
      for (const std::int32_t id : tokenizer->encode(text, true)) CHECK(id >= 0);
    }
    return true;
  } catch (const InputError&) {
    return false;
  }
}

struct Outcome {
  int read = 0;
  int refused = 0;
};

Outcome fuzz_rounds(const json& original, int rounds, std::uint64_t seed) {
  Random random(seed);
  int read = 0;
  int refused = 0;
  for (int round = 0; round < rounds; ++round) {
    json document = original;
    for (std::size_t n = 1 + random() % 3; n > 0; --n) mutate(document, random);
    CAPTURE(round);
    (reads(document.dump()) ? read : refused) += 1;
  }
  return {read, refused};
}

void fuzz(const json& original, std::uint64_t seed) {
  const Outcome outcome = fuzz_rounds(original, 400, seed);
  CHECK(outcome.read > 20);
  CHECK(outcome.refused > 20);
}

}  // namespace

TEST_CASE("mutated tokenizer.json files are read or refused") {
  fuzz(tests::tiny_bpe(), 1);
  fuzz(tests::tiny_word_piece(), 2);
}

TEST_CASE("mutated tokenizers of every part are read or refused") {
  const json goldens =
      read_json_file(tests::source_folder() / "tests/models/text/pipeline_goldens/pipelines.json");
  Outcome all;
  std::uint64_t seed = 3;
  for (const json& pipeline : goldens.at("pipelines")) {
    json tokenizer = pipeline.at("tokenizer");
    // Most values of a file are tokens; the parts are what is looked at here.
    const json model = tokenizer.at("model");
    tokenizer["model"].erase("merges");
    tokenizer["model"].erase("vocab");
    Random random(seed++);
    for (int round = 0; round < 30; ++round) {
      json document = tokenizer;
      for (std::size_t n = 1 + random() % 3; n > 0; --n) mutate(document, random);
      if (document.is_object() && document.contains("model") && document["model"].is_object()) {
        for (const char* key : {"merges", "vocab"}) {
          if (model.contains(key)) document["model"][key] = model[key];
        }
      }
      CAPTURE(pipeline.at("name").get<std::string>(), round);
      (reads(document.dump()) ? all.read : all.refused) += 1;
    }
  }
  CHECK(all.read > 100);
  CHECK(all.refused > 100);
}

TEST_CASE("mutated SentencePiece models are read or refused") {
  Random random(4);
  tests::SentencePieceFile file;
  file.kind = SentencePieceKind::kUnigram;
  file.pieces = {{"<unk>", 0, PieceType::kUnknown},
                 {"a", -1, PieceType::kNormal},
                 {"\u2581", -2, PieceType::kNormal},
                 {"th", -3, PieceType::kNormal},
                 {"<x>", 0, PieceType::kUserDefined}};
  int read = 0;
  int refused = 0;
  for (int round = 0; round < 1'000; ++round) {
    std::string bytes = file.bytes();
    for (std::size_t n = 1 + random() % 3; n > 0; --n) {
      bytes[random() % bytes.size()] = static_cast<char>(random());
    }
    CAPTURE(round);
    try {
      const auto tokenizer = make_sentencepiece_tokenizer(bytes, json::object(), "x");
      for (const std::int32_t id : tokenizer->encode("a th <x> \u4f60", true)) CHECK(id >= 0);
      ++read;
    } catch (const InputError&) {
      ++refused;
    }
  }
  CHECK(read > 100);
  CHECK(refused > 100);
}

TEST_CASE("truncated tokenizer.json files are refused") {
  const std::string whole = tests::tiny_word_piece().dump();
  for (std::size_t length = 0; length < whole.size(); length += 7) {
    CAPTURE(length);
    CHECK_FALSE(reads(whole.substr(0, length)));
  }
  CHECK(reads(whole));
}

}  // namespace regroup::models
