#include "models/text/tokenizer.hpp"
#include "models/files/json_file.hpp"
#include "models/text/make_tokenizer.hpp"
#include "search/base/error.hpp"
#include "tests/fixtures/tiny_tokenizer.hpp"
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

Ids ids_of(const json& tokenizer, std::string_view text) {
  return load_written(tokenizer)->encode(text, true);
}

std::string refusal(const json& tokenizer) {
  return error_message<InputError>([&] { load_written(tokenizer); });
}

/// The tiny BPE with the pre-tokenizer of Llama-3: one expression, then bytes.
json split_bpe(const std::string& expression) {
  json tokenizer = tiny_bpe();
  tokenizer["pre_tokenizer"] = {
      {"type", "Sequence"},
      {"pretokenizers",
       {{{"type", "Split"}, {"pattern", {{"Regex", expression}}}, {"behavior", "Isolated"}},
        {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", false}}}}};
  return tokenizer;
}

}  // namespace

TEST_CASE("byte-level BPE of a tokenizer.json") {
  CHECK(ids_of(tiny_bpe(), "the thing") == Ids{257, ' ', 256, 261});
  CHECK(ids_of(tiny_bpe(), "x the") == Ids{'x', 259});
  CHECK(ids_of(tiny_bpe(), "t\u00e9") == Ids{'t', 0xc3, 0xa9});
  CHECK(ids_of(tiny_bpe(), std::string("\0", 1)) == Ids{0});
  CHECK(ids_of(tiny_bpe(), "").empty());
  CHECK(load_written(tiny_bpe())->vocabulary() == 263);
}

TEST_CASE("merges may be written as pairs or as text") {
  json tokenizer = tiny_bpe();
  for (json& merge : tokenizer["model"]["merges"]) {
    merge = merge[0].get<std::string>() + " " + merge[1].get<std::string>();
  }
  CHECK(ids_of(tokenizer, "x the") == Ids{'x', 259});
  tokenizer["model"]["merges"][2] = 5;
  CHECK_THAT(refusal(tokenizer), contains("merge 2"));
}

TEST_CASE("a blank is put before a text that has none, where the file says so") {
  json tokenizer = tiny_bpe();
  tokenizer["pre_tokenizer"]["add_prefix_space"] = true;
  CHECK(ids_of(tokenizer, "the") == Ids{259});
  CHECK(ids_of(tokenizer, " the") == Ids{259});
  CHECK(ids_of(tokenizer, "the<|end|>the") == Ids{259, 262, 259});
  CHECK(ids_of(tokenizer, "").empty());
}

TEST_CASE("words are cut by the file's own expression") {
  CHECK(ids_of(split_bpe("th"), "the") == Ids{256, 'e'});
  CHECK(ids_of(split_bpe("x"), "the") == Ids{257});
  json removed = split_bpe("h");
  json& split = removed["pre_tokenizer"]["pretokenizers"][0];
  split["behavior"] = "Removed";
  CHECK(ids_of(removed, "the") == Ids{'t', 'e'});
  split["invert"] = true;
  CHECK(ids_of(removed, "the") == Ids{'h'});
  split["pattern"] = {{"String", "."}};
  split["behavior"] = "Isolated";
  CHECK(ids_of(removed, "t.h") == Ids{'t', '.', 'h'});
  split = {{"type", "Digits"}, {"individual_digits", true}};
  CHECK(ids_of(removed, "t12h") == Ids{'t', '1', '2', 'h'});
}

TEST_CASE("text is normalized where the file says so, between added tokens") {
  json tokenizer = tiny_bpe();
  CHECK(ids_of(tokenizer, "e\u0301").size() == 3);
  tokenizer["normalizer"] = {{"type", "NFC"}};
  CHECK(ids_of(tokenizer, "e\u0301") == Ids{0xc3, 0xa9});
  tokenizer["normalizer"] = {{"type", "Sequence"},
                             {"normalizers", {{{"type", "NFC"}}, {{"type", "Lowercase"}}}}};
  CHECK(ids_of(tokenizer, "E\u0301<|end|>THE<|END|>").front() == 0xc3);
  CHECK(ids_of(tokenizer, "E\u0301<|end|>THE") == Ids{0xc3, 0xa9, 262, 257});
}

TEST_CASE(
    "added tokens: the leftmost, the longest there, with white space where it belongs to them") {
  json tokenizer = tiny_bpe();
  const auto add = [&](const char* content, int id, json more) {
    more.update({{"id", id}, {"content", content}});
    tokenizer["added_tokens"].push_back(more);
  };
  add("<|end|>>", 300, {{"normalized", false}});
  add("<m>", 301, {{"normalized", false}, {"lstrip", true}, {"rstrip", true}});
  add("AB", 302, {{"normalized", true}});
  CHECK(ids_of(tokenizer, "<|end|>") == Ids{262});
  CHECK(ids_of(tokenizer, "a<|end|>>>") == Ids{'a', 300, '>'});
  CHECK(ids_of(tokenizer, "a \u00a0<m> \n<m> b") == Ids{'a', 301, 301, 'b'});
  CHECK(load_written(tokenizer)->vocabulary() == 303);
  tokenizer["normalizer"] = {{"type", "Lowercase"}};
  CHECK(ids_of(tokenizer, "xaB<|END|>").at(1) == 302);  // looked for in lower case
  CHECK(ids_of(tokenizer, "<M>").size() == 3);          // this one is not
}

TEST_CASE("special tokens stand where the post-processor says") {
  json tokenizer = tiny_bpe();
  const json bos = {{"<|end|>", {{"id", "<|end|>"}, {"ids", json::array({262})}}}};
  const json single = {{{"SpecialToken", {{"id", "<|end|>"}}}}, {{"Sequence", {{"id", "A"}}}}};
  const json first = {{"type", "TemplateProcessing"}, {"single", single}, {"special_tokens", bos}};
  tokenizer["post_processor"] = {{"type", "Sequence"},
                                 {"processors", {{{"type", "ByteLevel"}}, first}}};
  CHECK(load_written(tokenizer)->encode("a", true) == Ids{262, 'a'});
  CHECK(load_written(tokenizer)->encode("a", false) == Ids{'a'});
  CHECK(load_written(tokenizer)->encode("", true) == Ids{262});
  tokenizer["post_processor"] = {{"type", "RobertaProcessing"},
                                 {"cls", json::array({"<s>", 7})},
                                 {"sep", json::array({"</s>", 8})}};
  CHECK(load_written(tokenizer)->encode("a", true) == Ids{7, 'a', 8});
  tokenizer["post_processor"] = first;
  tokenizer["post_processor"]["single"] = json::array({single[0]});
  CHECK_THAT(refusal(tokenizer), contains("does not hold the text once"));
  tokenizer["post_processor"]["single"] = single;
  tokenizer["post_processor"]["special_tokens"] = json::object();
  CHECK_THAT(refusal(tokenizer), contains("<|end|>"));
}

TEST_CASE("tokenizer_config.json adds special tokens where the post-processor adds none") {
  const json config = {{"add_bos_token", true}, {"bos_token", {{"content", "<|end|>"}}}};
  CHECK(load_written(tiny_bpe(), config)->encode("a", true) == Ids{262, 'a'});
  CHECK(load_written(tiny_bpe(), config)->encode("a", false) == Ids{'a'});
  CHECK(
      load_written(tiny_bpe(), {{"add_eos_token", true}, {"eos_token", "th"}})->encode("a", true) ==
      Ids{'a', 256});
  CHECK(load_written(tiny_bpe(), {{"bos_token", "th"}})->encode("a", true) == Ids{'a'});
  const json both = {{"add_bos_token", true}, {"bos_token", "[SEP]"}};
  CHECK(load_written(tiny_word_piece(), both)->encode("a", true) == Ids{1, 8, 2});
  CHECK_THAT(error_message<InputError>([] {
               load_written(tiny_bpe(), {{"add_bos_token", true}});
             }),
             contains("add_bos_token"));
}

TEST_CASE("the prefix is begin-of-sequence, else end-of-sequence, where there is one") {
  CHECK_FALSE(load_written(tiny_bpe())->prefix());
  CHECK(load_written(tiny_bpe(), {{"bos_token", "th"}, {"eos_token", "in"}})->prefix() == 256);
  CHECK(load_written(tiny_bpe(), {{"bos_token", nullptr}, {"eos_token", "<|end|>"}})->prefix() ==
        262);
  CHECK(load_written(tiny_bpe(), {{"bos_token", "absent"}, {"eos_token", "in"}})->prefix() == 260);
  const std::filesystem::path root = source_folder();
  CHECK(load_tokenizer(root / "examples/demo-llama")->prefix() == 1);  // SentencePiece
}

TEST_CASE("WordPiece of a tokenizer.json") {
  CHECK(ids_of(tiny_word_piece(), "UNAFFABLE, a") == Ids{1, 3, 4, 5, 7, 8, 2});
  CHECK(ids_of(tiny_word_piece(), "Na\u00efve\u4f60[CLS]unx") == Ids{1, 10, 11, 1, 0, 2});
  CHECK(ids_of(tiny_word_piece(), "a,\ta\u00a0aa") == Ids{1, 8, 7, 8, 8, 9, 2});
  json short_words = tiny_word_piece();
  short_words["model"]["max_input_chars_per_word"] = 3;
  CHECK(ids_of(short_words, "aaa aaaa") == Ids{1, 8, 9, 9, 0, 2});
}

TEST_CASE("what is not supported is refused and token ids are recommended") {
  const auto refused = [](json tokenizer, const json& patch, const std::string& part) {
    tokenizer.merge_patch(patch);
    const std::string message = refusal(tokenizer);
    CAPTURE(message);
    CHECK_THAT(message, contains(part));
    CHECK_THAT(message, contains("tokenizer.json"));
    CHECK_THAT(message, contains("token ids as .bin or .npy"));
  };
  refused(tiny_bpe(), {{"model", {{"type", "Markov"}}}}, "found: Markov");
  refused(tiny_bpe(), {{"model", {{"byte_fallback", true}}}}, "byte_fallback");
  refused(tiny_bpe(), {{"model", {{"dropout", 0.1}}}}, "dropout");
  refused(tiny_bpe(), {{"model", {{"end_of_word_suffix", "</w>"}}}}, "end_of_word_suffix");
  refused(tiny_bpe(), {{"normalizer", {{"type", "Magic"}}}}, "found: Magic");
  refused(tiny_bpe(), {{"pre_tokenizer", {{"type", "UnicodeScripts"}}}}, "found: UnicodeScripts");
  refused(tiny_bpe(), {{"post_processor", {{"type", "Magic"}}}}, "found: Magic");
  refused(tiny_bpe(), {{"decoder", {{"type", "CTC"}}}}, "found: CTC");
  json split = split_bpe("x");
  split["pre_tokenizer"]["pretokenizers"][0]["behavior"] = "Doubled";
  refused(split, json::object(), "Doubled");
  refused(split_bpe("\\Bx"), json::object(), "\\B");
}

TEST_CASE("broken tokenizer.json files are refused with the place") {
  const auto broken = [](const json& patch, const std::string& part) {
    json tokenizer = tiny_bpe();
    tokenizer.merge_patch(patch);
    CHECK_THAT(refusal(tokenizer), contains(part));
  };
  broken({{"model", 5}}, "model");
  broken({{"model", {{"vocab", {{"th", -1}}}}}}, "token th");
  broken({{"model", {{"vocab", {{"th", 2147483647}}}}}}, "token th");
  broken({{"model", {{"vocab", {{"th", "x"}}}}}}, "token th");
  broken({{"model", {{"vocab", {{"th", nullptr}}}}}}, "merge 0");
  broken({{"model", {{"unk_token", "absent"}}}}, "absent");
  broken({{"added_tokens", json::array({{{"id", 1}, {"content", "th"}}})}}, "another id");
  broken({{"added_tokens", json::array({{{"id", 1}, {"content", ""}}})}}, "empty");
  broken({{"added_tokens", json::array({{{"content", "x"}}})}}, "added token 0");
  broken({{"added_tokens", json::array({5})}}, "added token 0");
  json word_piece = tiny_word_piece();
  word_piece["model"]["unk_token"] = "absent";
  CHECK_THAT(refusal(word_piece), contains("absent"));
  CHECK_THAT(refusal(json::array()), contains("tokenizer.json"));
}

TEST_CASE("vocab.json with merges.txt is GPT-2's tokenizer") {
  const json bpe = tiny_bpe();
  json vocabulary = bpe["model"]["vocab"];
  vocabulary["<|endoftext|>"] = 262;
  std::string merges = "#version: 0.2\n";
  for (const json& merge : bpe["model"]["merges"]) {
    merges += merge[0].get<std::string>() + " " + merge[1].get<std::string>() + "\n";
  }
  const TemporaryDirectory scratch;
  scratch.write("vocab.json", vocabulary.dump());
  CHECK_THAT(error_message<InputError>([&] { load_tokenizer(scratch.path()); }),
             contains("no tokenizer"));
  scratch.write("merges.txt", merges);
  scratch.write("added_tokens.json", R"({"<new>": 263})");
  const auto ids = [&](const std::string& config) {
    scratch.write("tokenizer_config.json", config);
    return load_tokenizer(scratch.path())->encode("the the<|endoftext|><new>the", true);
  };
  CHECK(ids("{}") == Ids{257, 259, 262, 263, 257});
  CHECK(ids(R"({"add_prefix_space": true})") == Ids{259, 259, 262, 263, 259});
  CHECK(ids(R"({"add_bos_token": true, "bos_token": {"content": "in"}})").front() == 260);
  CHECK(ids(R"({"tokenizer_class": "GPT2Tokenizer"})").size() == 5);
  CHECK(load_tokenizer(scratch.path())->prefix() == 262);
  const std::string message =
      error_message<InputError>([&] { ids(R"({"tokenizer_class": "CLIPTokenizer"})"); });
  CHECK_THAT(message, contains("CLIPTokenizer"));
  CHECK_THAT(message, contains(".npy"));
  scratch.write("tokenizer_config.json", "{}");
  scratch.write("merges.txt", "t h\nt x y\n");
  CHECK_THAT(error_message<InputError>([&] { load_tokenizer(scratch.path()); }),
             contains("merges.txt, line 2"));
}

TEST_CASE("of several tokenizers in a directory the first kind counts") {
  const TemporaryDirectory scratch;
  const auto message = [&] {
    return error_message<InputError>([&] { load_tokenizer(scratch.path()); });
  };
  scratch.write("vocab.txt", "[UNK]\n");
  CHECK_THAT(message(), contains("vocab.txt"));
  scratch.write("vocab.json", "broken");
  scratch.write("merges.txt", "");
  CHECK_THAT(message(), contains("vocab.json"));
  scratch.write("spiece.model", "broken");
  CHECK_THAT(message(), contains("spiece.model"));
  scratch.write("tokenizer.model", "broken");
  CHECK_THAT(message(), contains("tokenizer.model"));
  scratch.write("tokenizer.json", "broken");
  CHECK_THAT(message(), contains("tokenizer.json"));
}

TEST_CASE("an added token may be a word by itself alone") {
  json tokenizer = tiny_bpe();
  tokenizer["added_tokens"].push_back({{"id", 300}, {"content", "ab"}, {"single_word", true}});
  CHECK(ids_of(tokenizer, "ab-ab abx") == Ids{300, '-', 300, ' ', 'a', 'b', 'x'});
}

TEST_CASE("special tokens that tokenizer_config.json names are found in the text") {
  const json config = {{"pad_token", "<pad>"},
                       {"eos_token", "th"},
                       {"additional_special_tokens", json::array({"<x>", "<|end|>"})}};
  CHECK(load_written(tiny_bpe(), config)->encode("the<pad><x><|end|>", true) ==
        Ids{256, 'e', 263, 264, 262});
  const json decoder = {{"added_tokens_decoder", {{"300", {{"content", "<y>"}}}}}};
  CHECK(load_written(tiny_bpe(), decoder)->encode("<y>", true) == Ids{300});
}

TEST_CASE("special_tokens_map.json counts before a config that lists no added tokens") {
  const TemporaryDirectory scratch;
  scratch.write("tokenizer.json", tiny_bpe().dump());
  const auto read = [&] { return load_tokenizer(scratch.path()); };
  scratch.write("special_tokens_map.json", R"({
      "eos_token": {"content": "th", "lstrip": false}, "pad_token": "<pad>",
      "additional_special_tokens": ["<x>"]})");
  CHECK(read()->encode("the<pad><x>", true) == Ids{256, 'e', 263, 264});
  CHECK(read()->prefix() == 256);
  scratch.write("tokenizer_config.json", R"({"eos_token": "in", "add_eos_token": true})");
  CHECK(read()->encode("a<x>", true) == Ids{'a', 264, 256});
  // transformers leaves the map alone where the config lists added tokens.
  scratch.write("tokenizer_config.json", R"({"eos_token": "in", "add_eos_token": true,
      "added_tokens_decoder": {"300": {"content": "<y>"}}})");
  CHECK(read()->encode("a<y>", true) == Ids{'a', 300, 260});
  CHECK(read()->encode("<x>", false).size() == 3);
  scratch.write("tokenizer_config.json", "{}");
  scratch.write("special_tokens_map.json", "[]");
  CHECK_THAT(error_message<InputError>(read), contains("special_tokens_map.json"));
}

TEST_CASE("tokenizers are made of what is in memory") {
  const auto tokenizer = make_json_tokenizer(tiny_bpe(), {{"bos_token", "th"}}, "memory");
  CHECK(tokenizer->encode("the<|end|>", true) == Ids{256, 'e', 262});
  CHECK_THAT(error_message<InputError>([] { make_json_tokenizer(json::array(), {}, "memory"); }),
             contains("memory"));
}

TEST_CASE("ids equal those of Hugging Face's tokenizers and of SentencePiece") {
  REGROUP_NEEDS_SHARED_DATA("goldens/tokenizers");
  for (const char* kind : {"bert", "gpt-neox", "gpt2", "llama3", "qwen2", "sentencepiece-bpe",
                           "sentencepiece-unigram"}) {
    const auto directory = shared_data(std::string("goldens/tokenizers/") + kind);
    const auto tokenizer = load_tokenizer(directory);
    int cases = 0;
    for (const json& entry : read_json_file(directory / "cases.json")) {
      const std::string text = entry.at("text");
      CAPTURE(kind, text);
      CHECK(tokenizer->encode(text, false) == entry.at("ids_no_special").get<Ids>());
      if (entry.contains("ids")) CHECK(tokenizer->encode(text, true) == entry["ids"].get<Ids>());
      ++cases;
    }
    CHECK(cases > 50);
  }
}

TEST_CASE("ids equal those of transformers where files are read together") {
  REGROUP_NEEDS_SHARED_DATA("troubles/sentencepiece-with-added-tokens");
  for (const char* kind : {"sentencepiece-with-added-tokens", "llama-tokenizer-json-only"}) {
    const auto directory = shared_data(std::string("troubles/") + kind);
    const auto tokenizer = load_tokenizer(directory);
    const json cases = read_json_file(directory / "cases.json");
    CHECK(cases.size() == 6);
    for (const json& entry : cases) {
      const std::string text = entry.at("text");
      CAPTURE(kind, text);
      CHECK(tokenizer->encode(text, false) == entry.at("ids_no_special").get<Ids>());
      CHECK(tokenizer->encode(text, true) == entry.at("ids").get<Ids>());
    }
  }
}
