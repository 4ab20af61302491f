// SentencePiece models: the same ids and text as libsentencepiece, and what transformers adds.

#include <sentencepiece_processor.h>

#include <fstream>
#include <iterator>
#include <random>

#include "models/files/json_file.hpp"
#include "models/text/make_tokenizer.hpp"
#include "models/text/sentencepiece_model.hpp"
#include "models/text/tokenizer.hpp"
#include "search/base/error.hpp"
#include "tests/fixtures/sentencepiece_file.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/error_message.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/shared_data.hpp"
#include "tests/support/temporary_directory.hpp"

using namespace regroup;
using namespace regroup::models;
using namespace regroup::tests;
using nlohmann::json;

namespace {

using Ids = std::vector<std::int32_t>;
using Random = std::mt19937_64;

/// Texts of letters, blanks and whatever is likely to be treated by itself.
std::string random_text(Random& random) {
  static const std::vector<std::string> kParts = {
      "a",      "b",      "ab",     "the",    " ",       "  ",     " a",         ".",
      "..",     "\n",     "\t",     "\u00e9", "e\u0301", "\u4f60", "\U0001f642", "\u2581",
      "\u00a0", "\u3000", "\ufb01", "x",      "aaaa",    "\u2167", "\uff41",     "<u>"};
  std::string text;
  for (std::size_t n = random() % 30; n > 0; --n) text += kParts[random() % kParts.size()];
  return text;
}

/// Compares with libsentencepiece; gives how many ids there were.
std::size_t compare(const std::string& bytes, Random& random, int rounds) {
  sentencepiece::SentencePieceProcessor reference;
  REQUIRE(reference.LoadFromSerializedProto(bytes).ok());
  const auto tokenizer = make_sentencepiece_tokenizer(bytes, json::object(), "model");
  std::size_t count = 0;
  for (int round = 0; round < rounds; ++round) {
    const std::string text = random_text(random);
    CAPTURE(round, text);
    std::vector<int> expected;
    REQUIRE(reference.Encode(text, &expected).ok());
    const Ids found = tokenizer->encode(text, true);
    CHECK(found == Ids(expected.begin(), expected.end()));
    std::string decoded;
    REQUIRE(reference.Decode(expected, &decoded).ok());
    CHECK(tokenizer->decode(found) == decoded);
    count += found.size();
  }
  return count;
}

SentencePieceFile random_file(SentencePieceKind kind, Random& random) {
  SentencePieceFile file;
  file.kind = kind;
  file.byte_fallback = random() % 2 == 0;
  file.blank_before_text = random() % 4 != 0;
  file.merges_blanks = random() % 2 == 0;
  const auto score = [&] { return -static_cast<float>(1 + random() % 9); };
  file.pieces = {{"<unk>", 0, PieceType::kUnknown},
                 {"<s>", 0, PieceType::kControl},
                 {"</s>", 0, PieceType::kControl}};
  for (int byte = 0; file.byte_fallback && byte < 256; ++byte) {
    constexpr const char* kDigits = "0123456789ABCDEF";
    const std::string name = {'<', '0', 'x', kDigits[byte / 16], kDigits[byte % 16], '>'};
    file.pieces.push_back({name, 0, PieceType::kByte});
  }
  for (const char* text : {"a", "b", "\u2581", ".", "t", "h", "e", "ab", "\u2581a", "th", "the",
                           "\u2581the", "aa", "..", "\u2581\u2581", "\u00e9", "ba", "\u4f60"}) {
    if (random() % 8 == 0) continue;
    file.pieces.push_back({text, score(), PieceType::kNormal});
  }
  if (random() % 2 == 0) file.pieces.push_back({"<u>", 0, PieceType::kUserDefined});
  if (random() % 4 == 0) file.pieces.push_back({"a\u2581", score(), PieceType::kNormal});
  if (random() % 4 == 0) file.pieces.push_back({"bb", score(), PieceType::kUnused});
  for (const char* text : {"<pad>", "<|im_start|>"}) {
    if (random() % 2 == 0) file.pieces.push_back({text, 0, PieceType::kControl});
  }
  return file;
}

}  // namespace

TEST_CASE("random SentencePiece models cut and join as libsentencepiece") {
  Random random(11);
  for (const auto kind :
       {SentencePieceKind::kBpe, SentencePieceKind::kUnigram, SentencePieceKind::kCharacter}) {
    std::size_t ids = 0;
    for (int round = 0; round < 40; ++round) {
      CAPTURE(static_cast<int>(kind), round);
      ids += compare(random_file(kind, random).bytes(), random, 10);
    }
    CHECK(ids > 5'000);
  }
}

TEST_CASE("trained SentencePiece models cut and join as libsentencepiece") {
  REGROUP_NEEDS_SHARED_DATA("goldens/tokenizers");
  Random random(12);
  for (const char* kind : {"sentencepiece-bpe", "sentencepiece-unigram"}) {
    CAPTURE(kind);
    const auto file = shared_data(std::string("goldens/tokenizers/") + kind) / "tokenizer.model";
    std::ifstream in(file, std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(in)), {});
    CHECK(compare(bytes, random, 300) > 4'000);
  }
}

TEST_CASE("tokens that are added to a SentencePiece model are one id each") {
  SentencePieceFile file;
  file.pieces = {{"<unk>", 0, PieceType::kUnknown}, {"<s>", 0, PieceType::kControl},
                 {"</s>", 0, PieceType::kControl},  {"\u2581", -1, PieceType::kNormal},
                 {"a", -1, PieceType::kNormal},     {"\u2581a", -1, PieceType::kNormal}};
  const TemporaryDirectory scratch;
  scratch.write("tokenizer.model", file.bytes());
  const auto ids = [&](const json& config, std::string_view text) {
    scratch.write("tokenizer_config.json", config.dump());
    return load_tokenizer(scratch.path())->encode(text, true);
  };
  CHECK(ids(json::object(), "a<s>a") ==
        Ids{5, 0, 4});  // by itself it never finds its control pieces
  const json llama = {{"tokenizer_class", "LlamaTokenizer"},
                      {"add_bos_token", true},
                      {"bos_token", "<s>"},
                      {"legacy", true}};
  CHECK(ids(llama, "a<s>a") == Ids{1, 5, 1, 5});
  json first = llama;
  first["legacy"] = false;
  CHECK(ids(first, "a<s>a") == Ids{1, 5, 1, 4});
  scratch.write("added_tokens.json", R"({"<|im_start|>": 6})");
  CHECK(ids(llama, "<|im_start|>a a") == Ids{1, 6, 5, 5});
  CHECK(load_tokenizer(scratch.path())->vocabulary() == 7);
  CHECK(load_tokenizer(scratch.path())->decode(Ids{1, 6, 5}) == "<|im_start|> a");
  const json named = {{"additional_special_tokens", json::array({"<|im_start|>", "<new>"})}};
  CHECK(ids(named, "<new>a<|im_start|>") == Ids{7, 4, 6});
  CHECK(load_tokenizer(scratch.path())->decode(Ids{6, 5}) == "a");
}

TEST_CASE("T5's class has its end mark and its sentinels") {
  SentencePieceFile file;
  file.kind = SentencePieceKind::kUnigram;
  file.merges_blanks = true;
  file.pieces = {{"<pad>", 0, PieceType::kControl}, {"</s>", 0, PieceType::kControl},
                 {"<unk>", 0, PieceType::kUnknown}, {"\u2581", -2, PieceType::kNormal},
                 {"a", -1, PieceType::kNormal},     {"\u2581a", -1, PieceType::kNormal}};
  const TemporaryDirectory scratch;
  scratch.write("spiece.model", file.bytes());
  CHECK(load_tokenizer(scratch.path())->encode("a", true) == Ids{5});
  scratch.write("config.json", R"({"model_type": "t5"})");
  CHECK(load_tokenizer(scratch.path())->encode("a <extra_id_0>a<extra_id_99></s>", true) ==
        Ids{5, 105, 5, 6, 1, 1});
  scratch.write("tokenizer_config.json", R"({"tokenizer_class": "T5Tokenizer", "extra_ids": 2})");
  CHECK(load_tokenizer(scratch.path())->encode("<extra_id_1>", true) == Ids{6, 1});
  CHECK(load_tokenizer(scratch.path())->encode("", true) == Ids{1});
}

TEST_CASE("broken SentencePiece models are refused") {
  const auto refusal = [](const std::string& bytes) {
    return error_message<InputError>(
        [&] { make_sentencepiece_tokenizer(bytes, json::object(), "x.model"); });
  };
  SentencePieceFile file;
  file.pieces = {{"a", -1, PieceType::kNormal}};
  CHECK_THAT(refusal(file.bytes()), contains("no piece for unknown"));
  file.pieces = {{"<unk>", 0, PieceType::kUnknown}, {"", 0, PieceType::kNormal}};
  CHECK_THAT(refusal(file.bytes()), contains("an empty piece"));
  file.pieces = {{"<unk>", 0, PieceType::kUnknown}, {"\xff", 0, PieceType::kNormal}};
  CHECK_THAT(refusal(file.bytes()), contains("not UTF-8"));
  file.pieces.pop_back();
  file.character_map = "abc";
  CHECK_THAT(refusal(file.bytes()), contains("character map"));
  CHECK_THAT(refusal("broken"), contains("x.model"));
  CHECK_THAT(refusal(""), contains("no pieces"));
}
