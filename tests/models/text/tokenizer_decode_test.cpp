// Token ids back to text, at once and as they arrive.

#include <algorithm>

#include "models/files/json_file.hpp"
#include "models/text/pipeline/unicode.hpp"
#include "models/text/pipeline/utf8.hpp"
#include "models/text/text_stream.hpp"
#include "models/text/tokenizer.hpp"
#include "search/base/random.hpp"
#include "tests/fixtures/tiny_tokenizer.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/shared_data.hpp"
#include "tests/support/temporary_directory.hpp"

using namespace regroup;
using namespace regroup::models;
using namespace regroup::tests;
using nlohmann::json;

namespace {

using Ids = std::vector<std::int32_t>;
constexpr const char* kKinds[] = {
    "bert", "gpt-neox", "gpt2", "llama3", "qwen2", "sentencepiece-bpe", "sentencepiece-unigram"};

std::string decoded(const json& tokenizer, const Ids& ids) {
  return load_written(tokenizer)->decode(ids);
}

/// The text that a stream gives, every part of it whole characters.
std::string streamed(const Tokenizer& tokenizer, const Ids& before, const Ids& ids) {
  TextStream stream(tokenizer, before);
  std::string text;
  for (const std::int32_t id : ids) {
    const std::string part = stream.add(id);
    CHECK_FALSE(first_invalid_utf8(part));
    text += part;
  }
  return text + stream.finish();
}

/// The same by its definition: all ids at once, less what was there before.
std::string naive_text(const Tokenizer& tokenizer, const Ids& before, const Ids& ids) {
  Ids all = before;
  all.insert(all.end(), ids.begin(), ids.end());
  const std::string whole = replace_invalid_utf8(tokenizer.decode(all));
  return whole.substr(replace_invalid_utf8(tokenizer.decode(before)).size());
}

Ids random_ids(const Tokenizer& tokenizer, std::size_t count, search::RandomStream& random) {
  Ids ids(count);
  for (std::int32_t& id : ids) id = random.below(tokenizer.vocabulary());
  return ids;
}

}  // namespace

TEST_CASE("byte-level BPE decodes to the bytes that were encoded, special tokens left out") {
  const auto tokenizer = load_written(tiny_bpe());
  std::string every_byte_in_characters;
  for (char32_t c = 1; c < 0x3000; c += 7) append_character(every_byte_in_characters, c);
  for (const std::string& text :
       {std::string("the thing in  the\n"), std::string("\0 x", 3), every_byte_in_characters}) {
    CHECK(tokenizer->decode(tokenizer->encode(text, true)) == text);
  }
  CHECK(tokenizer->decode(Ids{0xe4}) == "\xe4");
  CHECK(tokenizer->decode(Ids{257, 262, 259}) == "the the");
  CHECK(tokenizer->decode(Ids{'a', 9999, -1, 'b'}) == "ab");
  CHECK(tokenizer->decode({}).empty());
}

TEST_CASE("added tokens decode to their content unless they are special") {
  json tokenizer = tiny_bpe();
  tokenizer["added_tokens"].push_back({{"id", 263}, {"content", "\u00e9 <b>"}});
  CHECK(decoded(tokenizer, {'a', 263, 262, 'b'}) == "a\u00e9 <b>b");
  // What tokenizer_config.json names is special too.
  CHECK(load_written(tiny_bpe(), {{"eos_token", "in"}})->decode(Ids{'a', 260, 261}) == "aing");
}

TEST_CASE("WordPiece joins its pieces and cleans up as Hugging Face's decoder") {
  json tokenizer = tiny_word_piece();
  CHECK(decoded(tokenizer, {1, 3, 4, 5, 7, 8, 11}) == "unaffable, a \u4f60");
  CHECK(decoded(tokenizer, {4, 8}) == "##aff a");  // the first token stays as it is
  CHECK(decoded(tokenizer, {0, 8, 0, 9}) == "aa");
  tokenizer["decoder"] = {{"type", "WordPiece"}, {"prefix", "##"}, {"cleanup", false}};
  CHECK(decoded(tokenizer, {3, 4, 5, 7, 8}) == "unaffable , a");
  tokenizer["decoder"]["prefix"] = "a";
  CHECK(decoded(tokenizer, {7, 6}) == ",ff");
  tokenizer = tiny_word_piece();
  auto& vocabulary = tokenizer["model"]["vocab"];
  int next = 12;
  for (const char* token : {"do not", "'s", "n't", "?", "\" ' \""}) vocabulary[token] = next++;
  CHECK(decoded(tokenizer, {8, 12, 13, 14, 15, 16}) == "a don't'sn't? \"'\"");
}

TEST_CASE("vocab.json with merges.txt decodes as its bytes") {
  const json bpe = tiny_bpe();
  json vocabulary = bpe["model"]["vocab"];
  vocabulary["<|endoftext|>"] = 262;
  const TemporaryDirectory scratch;
  scratch.write("vocab.json", vocabulary.dump());
  scratch.write("merges.txt", "t h\nth e\n");
  scratch.write("added_tokens.json", R"({"<new>": 263})");
  const auto tokenizer = load_tokenizer(scratch.path());
  CHECK(tokenizer->decode(tokenizer->encode("the \u00e9<|endoftext|><new>x", true)) ==
        "the \u00e9<new>x");
}

TEST_CASE("SentencePiece decodes what it encoded") {
  const auto tokenizer = load_tokenizer(source_folder() / "examples/demo-llama");
  for (const char* text : {"", "the cat", "Once upon a time, there was", "caf\u00e9 \u4f60"}) {
    CHECK(tokenizer->decode(tokenizer->encode(text, true)) == text);
  }
  const Ids some = tokenizer->encode("the cat", false);
  Ids others = {-1, 1, 2, tokenizer->vocabulary()};
  others.insert(others.end(), some.begin(), some.end());
  CHECK(tokenizer->decode(others) == "the cat");
}

TEST_CASE("bytes that are no character become U+FFFD, one for every begun character") {
  CHECK(replace_invalid_utf8("na\u00efve \u4f60") == "na\u00efve \u4f60");
  CHECK(replace_invalid_utf8("a\xe4\xbd") == "a\ufffd");
  CHECK(replace_invalid_utf8("\xe4\xbd\xe4\xbd\xa0") == "\ufffd\u4f60");
  CHECK(replace_invalid_utf8("\xff\x80z") == "\ufffd\ufffdz");
  // The examples of the Unicode Standard 15, tables 3-8 to 3-11.
  CHECK(replace_invalid_utf8("\xc0\xaf\xe0\x80\xbf\xf0\x81\x82\x41") ==
        "\ufffd\ufffd\ufffd\ufffd\ufffd\ufffd\ufffd\ufffd\u0041");
  CHECK(replace_invalid_utf8("\xed\xa0\x80\xed\xbf\xbf\xed\xaf\x41") ==
        "\ufffd\ufffd\ufffd\ufffd\ufffd\ufffd\ufffd\ufffd\u0041");
  CHECK(replace_invalid_utf8("\xf4\x91\x92\x93\xff\x41\x80\xbf\x42") ==
        "\ufffd\ufffd\ufffd\ufffd\ufffd\u0041\ufffd\ufffd\u0042");
  CHECK(replace_invalid_utf8("\xe1\x80\xe2\xf0\x91\x92\xf1\xbf\x41") ==
        "\ufffd\ufffd\ufffd\ufffd\u0041");
}

TEST_CASE("a stream gives every character when it is whole") {
  const auto tokenizer = load_written(tiny_bpe());
  TextStream stream(*tokenizer, Ids{257});
  CHECK(stream.add(0xe4).empty());
  CHECK(stream.add(0xbd).empty());
  CHECK(stream.add(0xa0) == "\u4f60");
  CHECK(stream.add(262).empty());
  CHECK(stream.add(259) == " the");
  CHECK(stream.add(0xe4).empty());
  CHECK(stream.finish() == "\ufffd");
}

TEST_CASE("a stream's text is that of all ids at once, less the prompt's") {
  search::RandomStream random{search::RandomKey(3)};
  for (const json& file : {tiny_bpe(), tiny_word_piece()}) {
    const auto tokenizer = load_written(file);
    for (int round = 0; round < 50; ++round) {
      const Ids before = tokenizer->encode(round % 3 == 0 ? "" : "the a", true);
      const Ids ids = random_ids(*tokenizer, 30, random);
      CHECK(streamed(*tokenizer, before, ids) == naive_text(*tokenizer, before, ids));
    }
  }
}

TEST_CASE("the streams of golden tokenizers give the text of all ids at once") {
  REGROUP_NEEDS_SHARED_DATA("goldens/tokenizers");
  search::RandomStream random{search::RandomKey(4)};
  for (const char* kind : kKinds) {
    const auto directory = shared_data(std::string("goldens/tokenizers/") + kind);
    const auto tokenizer = load_tokenizer(directory);
    const json cases = read_json_file(directory / "cases.json");
    for (std::size_t i = 0; i < cases.size(); ++i) {
      CAPTURE(kind, i);
      Ids ids = cases[i].at("ids_no_special");
      const auto cut = static_cast<std::ptrdiff_t>(random.below(1 + ids.size()));
      Ids rest(ids.begin() + cut, ids.end());
      const Ids noise = random_ids(*tokenizer, 20, random);
      rest.insert(rest.end(), noise.begin(), noise.end());
      ids.resize(static_cast<std::size_t>(cut));
      // A prompt ends where a character does.
      if (replace_invalid_utf8(tokenizer->decode(ids)).ends_with("\ufffd")) continue;
      CHECK(streamed(*tokenizer, ids, rest) == naive_text(*tokenizer, ids, rest));
    }
  }
}

TEST_CASE("decoded text equals that of Hugging Face's tokenizers, and the text that was encoded") {
  REGROUP_NEEDS_SHARED_DATA("goldens/tokenizers");
  const json goldens =
      read_json_file(source_folder() / "tests/models/text/decode_goldens/decoded.json");
  int encoded_again = 0;
  for (const char* kind : kKinds) {
    const auto directory = shared_data(std::string("goldens/tokenizers/") + kind);
    const auto tokenizer = load_tokenizer(directory);
    const json cases = read_json_file(directory / "cases.json");
    const bool is_normalized =
        std::string_view(kind) == "gpt-neox" || std::string_view(kind) == "qwen2";
    const bool is_bytes =
        std::string_view(kind) != "bert" && std::string_view(kind) != "sentencepiece-unigram";
    std::size_t returned = 0;
    for (std::size_t i = 0; i < cases.size(); ++i) {
      const std::string text = cases[i].at("text");
      const Ids ids = cases[i].at(cases[i].contains("ids") ? "ids" : "ids_no_special");
      CAPTURE(kind, i, text);
      const std::string found = tokenizer->decode(ids);
      if (goldens.contains(kind) && i < goldens[kind].size()) CHECK(found == goldens[kind][i]);
      returned += found == (is_normalized ? normal_form(text, NormalForm::kNfc) : text);
      // Whatever the unigram model's normalizer loses, it loses once; 2 is its unknown token.
      const bool is_unigram = std::string_view(kind) == "sentencepiece-unigram";
      if (is_unigram && std::ranges::count(ids, 2) == 0) {
        CHECK(tokenizer->encode(found, false) == ids);
        ++encoded_again;
      }
    }
    CAPTURE(kind, returned, cases.size());
    if (is_bytes) CHECK(returned + 2 >= cases.size());  // but for two with <|endoftext|>
  }
  CHECK(encoded_again > 20);
}
