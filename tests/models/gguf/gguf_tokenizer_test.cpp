#include "models/gguf/tokenizer_metadata.hpp"

#include <cstring>
#include <filesystem>

#include "models/files/json_file.hpp"
#include "models/gguf/gguf_writer.hpp"
#include "models/text/llama_cpp_patterns.hpp"
#include "search/base/error.hpp"
#include "tests/fixtures/tiny_llama.hpp"
#include "tests/fixtures/tiny_tokenizer.hpp"
#include "tests/models/gguf/gguf_file.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/error_message.hpp"
#include "tests/support/shared_data.hpp"
#include "tests/support/temporary_directory.hpp"

using namespace regroup;
using namespace regroup::models;
using namespace regroup::tests;
using nlohmann::json;

namespace {

/// A tiny model of so many tokens, for tokenizer files to stand beside.
class Scene {
 public:
  explicit Scene(int vocabulary) {
    TinyLlama shape;
    shape.vocabulary = vocabulary;
    shape.write(scratch_.path());
  }
  Scene(int vocabulary, const json& tokenizer, const json& config = nullptr) : Scene(vocabulary) {
    write("tokenizer.json", tokenizer.dump());
    if (!config.is_null()) write("tokenizer_config.json", config.dump());
  }

  void write(const std::string& name, const std::string& content) const {
    scratch_.write(name, content);
  }
  void copy(const std::filesystem::path& file) const {
    write(file.filename().string(), read_file(file));
  }
  /// What a file's metadata say.
  json metadata() const {
    const auto path = scratch_.path() / "model.gguf";
    write_gguf_file(path, gguf_tokenizer(open_model(scratch_.path())), {});
    return GgufFile(path).metadata;
  }
  std::string refusal() const {
    return error_message<InputError>([&] { metadata(); });
  }

 private:
  TemporaryDirectory scratch_;
};

json bpe_with(const std::string& expression, bool whole_words) {
  json tokenizer = tiny_bpe();
  tokenizer["pre_tokenizer"] = {
      {"type", "Sequence"},
      {"pretokenizers",
       {{{"type", "Split"}, {"pattern", {{"Regex", expression}}}, {"behavior", "Isolated"}},
        {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", false}}}}};
  tokenizer["model"]["ignore_merges"] = whole_words;
  return tokenizer;
}

const std::string kLlama3 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
const std::string kQwen2 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
const std::string kGpt2 =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";
const std::string kTekken =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
const std::string kDeepSeekV3 = R"([!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^)"
                                "\r\n"
                                R"(\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[)"
                                "\r\n"
                                R"(]*|\s*[)"
                                "\r\n"
                                R"(]+|\s+(?!\S)|\s+)";

json split(const std::string& expression) {
  return {{"type", "Split"},
          {"pattern", {{"Regex", expression}}},
          {"behavior", "Isolated"},
          {"invert", false}};
}

/// A byte-level BPE behind these steps.
json bpe_after(std::vector<json> steps, bool uses_regex = false) {
  json tokenizer = tiny_bpe();
  steps.push_back({{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", uses_regex}});
  tokenizer["pre_tokenizer"] = {{"type", "Sequence"}, {"pretokenizers", steps}};
  return tokenizer;
}

json digits(bool each) {
  return {{"type", "Digits"}, {"individual_digits", each}};
}

json pre_of(const json& tokenizer) {
  return Scene(270, tokenizer).metadata()["tokenizer.ggml.pre"];
}
std::string refusal_of(const json& tokenizer) {
  return Scene(270, tokenizer).refusal();
}

/// Numbers of Protocol Buffers: seven bits a byte.
std::uint64_t take_varint(const std::string& bytes, std::size_t& at) {
  std::uint64_t value = 0;
  for (int shift = 0;; shift += 7) {
    const auto byte = static_cast<unsigned char>(bytes.at(at++));
    value |= std::uint64_t{byte & 0x7fU} << shift;
    if (byte < 0x80) return value;
  }
}

/// Texts and scores of the pieces of a SentencePiece file, by its format's description alone.
std::vector<std::pair<std::string, float>> pieces_of(const std::string& file) {
  std::vector<std::pair<std::string, float>> pieces;
  for (std::size_t at = 0; at < file.size();) {
    const std::uint64_t tag = take_varint(file, at);
    const std::uint64_t size = take_varint(file, at);
    if (tag == (1U << 3 | 2U)) {
      auto& [text, score] = pieces.emplace_back();
      std::size_t in = at;
      REQUIRE(take_varint(file, in) == (1U << 3 | 2U));
      const std::uint64_t length = take_varint(file, in);
      text = file.substr(in, length);
      in += length;
      REQUIRE(take_varint(file, in) == (2U << 3 | 5U));
      std::memcpy(&score, &file[in], sizeof score);
    }
    at += size;
  }
  return pieces;
}

}  // namespace

TEST_CASE("byte-level BPE in a GGUF file: tokens by id, merges, special tokens, unused rows") {
  json tokenizer = tiny_bpe();
  json common = {{"id", 263}, {"content", "<a b>"}, {"normalized", true}, {"special", false}};
  tokenizer["added_tokens"].push_back(common);
  const json config = {{"bos_token", "<|end|>"},
                       {"eos_token", {{"content", "<|end|>"}}},
                       {"add_bos_token", true},
                       {"chat_template", "{{ x }}"}};
  const json says = Scene(266, tokenizer, config).metadata();
  CHECK(says["tokenizer.ggml.model"] == "gpt2");
  CHECK(says["tokenizer.ggml.pre"] == "gpt-2");
  const json& tokens = says["tokenizer.ggml.tokens"];
  REQUIRE(tokens.size() == 266);
  CHECK(tokens[' '] == "Ġ");
  CHECK(tokens[259] == "Ġthe");
  CHECK(tokens[262] == "<|end|>");
  CHECK(tokens[263] == "<a b>");
  CHECK(tokens[265] == "[PAD265]");
  const json& types = says["tokenizer.ggml.token_type"];
  CHECK(types[259] == 1);
  CHECK(types[262] == 3);
  CHECK(types[263] == 4);
  CHECK(types[265] == 5);
  CHECK(says["tokenizer.ggml.merges"] == json({"t h", "th e", "Ġ t", "Ġ the", "i n", "in g"}));
  CHECK(says["tokenizer.ggml.bos_token_id"] == 262);
  CHECK(says["tokenizer.ggml.eos_token_id"] == 262);
  CHECK(says["tokenizer.ggml.add_bos_token"] == true);
  CHECK(says["tokenizer.ggml.add_eos_token"] == false);
  CHECK(says["tokenizer.chat_template"] == "{{ x }}");
  CHECK_FALSE(says.contains("tokenizer.ggml.scores"));
}

TEST_CASE("what stands before and after a text comes from the post-processor, too") {
  json tokenizer = tiny_bpe();
  const json end = {{"id", "<|end|>"}, {"ids", json::array({262})}};
  tokenizer["post_processor"] = {{"type", "TemplateProcessing"},
                                 {"single",
                                  {{{"SpecialToken", {{"id", "<|end|>"}, {"type_id", 0}}}},
                                   {{"Sequence", {{"id", "A"}, {"type_id", 0}}}}}},
                                 {"special_tokens", {{"<|end|>", end}}}};
  const json says = Scene(270, tokenizer).metadata();
  CHECK(says["tokenizer.ggml.bos_token_id"] == 262);
  CHECK(says["tokenizer.ggml.add_bos_token"] == true);
  CHECK(says["tokenizer.ggml.eos_token_id"] == 2);  // of the model's config.json
  json& single = tokenizer["post_processor"]["single"];
  single.insert(single.begin(), single[0]);
  CHECK_THAT(refusal_of(tokenizer), contains("at most one token"));
}

TEST_CASE("pre-tokenizers that llama.cpp has a name for, and refusals of the others") {
  CHECK(pre_of(bpe_with(kLlama3, true)) == "llama-bpe");
  CHECK(pre_of(bpe_with(kLlama3, false)) == "smaug-bpe");
  CHECK(pre_of(bpe_with(kQwen2, false)) == "qwen2");
  json digits = tiny_bpe();
  digits["pre_tokenizer"] = {{"type", "Sequence"},
                             {"pretokenizers",
                              {{{"type", "Digits"}, {"individual_digits", true}},
                               {{"type", "ByteLevel"}, {"add_prefix_space", false}}}}};
  CHECK(pre_of(digits) == "smollm");
  CHECK_THAT(refusal_of(bpe_with(kQwen2, true)), contains("--no-tokenizer"));
  CHECK_THAT(refusal_of(bpe_with(R"(\p{L}+)", false)), contains(R"(Split by \p{L}+)"));
  digits["pre_tokenizer"]["pretokenizers"][0]["individual_digits"] = false;
  CHECK_THAT(refusal_of(digits), contains(R"(Split by \p{N}+)"));
  json blank = tiny_bpe();
  blank["pre_tokenizer"]["add_prefix_space"] = true;
  CHECK_THAT(refusal_of(blank), contains("a blank before the text"));
  json lower = tiny_bpe();
  lower["normalizer"] = {{"type", "Lowercase"}};
  CHECK_THAT(refusal_of(lower), contains("Lowercase"));
  lower["normalizer"] = {{"type", "NFC"}};
  CHECK(pre_of(lower) == "gpt-2");
  CHECK_THAT(refusal_of(tiny_word_piece()), contains("WordPiece"));
}

TEST_CASE("a pre-tokenizer has the name of what it does, however it is put together") {
  CHECK(pre_of(bpe_after({split(kGpt2)})) == "gpt-2");
  CHECK(pre_of(bpe_after({}, true)) == "gpt-2");
  CHECK(pre_of(bpe_after({split(R"(\p{N})")}, true)) == "smollm");
  CHECK(pre_of(bpe_after({digits(true), split(kGpt2)})) == "smollm");
  CHECK(pre_of(bpe_with(kTekken, true)) == "tekken");
  CHECK(pre_of(bpe_after({split(R"(\p{N}{1,3})"), split("[一-龥぀-ゟ゠-ヿ]+"),
                          split(kDeepSeekV3)})) == "deepseek-v3");
  CHECK(pre_of(bpe_after({split("[\r\n]"), split(R"(\s?\p{L}+)"), split(R"(\s?\p{P}+)"),
                          split("[一-龥ࠀ-一가-퟿]+"), digits(true)})) == "deepseek-coder");
  // What lies between the matches of an expression that covers every text is nothing.
  json removed = split(kQwen2);
  removed["behavior"] = "Removed";
  removed["invert"] = true;
  CHECK(pre_of(bpe_after({removed})) == "qwen2");
  removed["pattern"]["Regex"] = R"(\s?\p{L}+)";
  CHECK_THAT(refusal_of(bpe_after({split("[\r\n]"), removed, split(R"(\s?\p{P}+)"),
                                   split("[一-龥ࠀ-一가-퟿]+"), digits(true)})),
             contains("--no-tokenizer"));
}

TEST_CASE("digits one by one are digits together where no merge joins them") {
  const auto deepseek = [](const json& numbers) {
    const LlamaCppPattern& known = *find_llama_cpp_pattern("deepseek-llm");
    std::vector<json> steps;
    for (std::size_t i = 0; i + 1 < known.expressions.size(); ++i) {
      steps.push_back(split(std::string(known.expressions[i])));
    }
    steps.push_back(numbers);
    return bpe_after(steps);
  };
  CHECK(pre_of(deepseek(digits(false))) == "deepseek-llm");
  json apart = deepseek(digits(true));
  CHECK(pre_of(apart) == "deepseek-llm");
  apart["model"]["vocab"]["12"] = 300;
  apart["model"]["merges"].push_back({"1", "2"});
  CHECK_THAT(Scene(310, apart).refusal(), contains("--no-tokenizer"));
}

TEST_CASE("vocab.json with merges.txt is byte-level BPE as GPT-2's") {
  const Scene scene(270);
  scene.write("vocab.json", tiny_bpe()["model"]["vocab"].dump());
  scene.write("merges.txt", "#version: 0.2\nt h\nth e\n");
  scene.write("added_tokens.json", R"({"<more>": 265})");
  const json says = scene.metadata();
  CHECK(says["tokenizer.ggml.pre"] == "gpt-2");
  CHECK(says["tokenizer.ggml.tokens"][257] == "the");
  CHECK(says["tokenizer.ggml.tokens"][265] == "<more>");
  CHECK(says["tokenizer.ggml.merges"] == json({"t h", "th e"}));
}

TEST_CASE("a model without a tokenizer, or with fewer rows than tokens, is refused") {
  CHECK_THAT(Scene(20).refusal(), contains("no tokenizer") && contains("--no-tokenizer"));
  CHECK_THAT(Scene(100, tiny_bpe()).refusal(), contains("at most 100"));
  json twice = tiny_bpe();
  twice["added_tokens"].push_back({{"id", 266}, {"content", "<|end|>"}, {"special", true}});
  CHECK_THAT(refusal_of(twice), contains("cannot be told apart") && contains("262 and 266"));
}

TEST_CASE("SentencePiece BPE in a GGUF file: pieces, scores and kinds of the model file") {
  REGROUP_NEEDS_SHARED_DATA("goldens/tokenizers/sentencepiece-bpe");
  const auto file = shared_data("goldens/tokenizers/sentencepiece-bpe/tokenizer.model");
  const Scene scene(4100);
  scene.copy(file);
  scene.write("tokenizer_config.json",
              R"({"add_bos_token": true, "eos_token": "<end>", "added_tokens_decoder":
                  {"1": {"content": "<s>", "special": true},
                   "4097": {"content": "<end>", "special": true},
                   "4098": {"content": "<word>", "special": false}}})");
  const json says = scene.metadata();
  CHECK(says["tokenizer.ggml.model"] == "llama");
  CHECK(says["tokenizer.ggml.pre"] == "default");
  const json& tokens = says["tokenizer.ggml.tokens"];
  const json& scores = says["tokenizer.ggml.scores"];
  const json& types = says["tokenizer.ggml.token_type"];
  const auto pieces = pieces_of(read_file(file));
  REQUIRE(pieces.size() == 4096);
  REQUIRE(tokens.size() == 4100);
  REQUIRE(scores.size() == 4100);
  for (std::size_t id = 0; id < pieces.size(); ++id) {
    CHECK(tokens[id] == pieces[id].first);
    CHECK(scores[id].get<float>() == pieces[id].second);
  }
  CHECK(types[0] == 2);
  CHECK(types[1] == 3);
  CHECK(types[3] == 6);
  CHECK(tokens[3] == "<0x00>");
  CHECK(types[4000] == 1);
  CHECK(tokens[4096] == "[PAD4096]");
  CHECK(types[4096] == 5);
  CHECK(tokens[4097] == "<end>");
  CHECK(types[4097] == 3);
  CHECK(types[4098] == 4);
  CHECK(says["tokenizer.ggml.bos_token_id"] == 1);
  CHECK(says["tokenizer.ggml.eos_token_id"] == 4097);
  CHECK(says["tokenizer.ggml.unknown_token_id"] == 0);
  CHECK_FALSE(says.contains("tokenizer.ggml.padding_token_id"));
  CHECK(says["tokenizer.ggml.add_bos_token"] == true);
  CHECK(says["tokenizer.ggml.add_space_prefix"] == true);
}

TEST_CASE("added tokens keep their names and flags, also in place of pieces") {
  REGROUP_NEEDS_SHARED_DATA("goldens/tokenizers/sentencepiece-bpe");
  const auto file = shared_data("goldens/tokenizers/sentencepiece-bpe/tokenizer.model");
  const auto pieces = pieces_of(read_file(file));
  const Scene scene(4100);
  scene.copy(file);
  scene.write("added_tokens.json", R"({"<|first|>": 4096})");
  const json own = {{"content", pieces[4000].first}, {"special", false}};
  const json config = {{"added_tokens_decoder",
                        {{"0", {{"content", "<unk>"}, {"special", true}}},
                         {"1", {{"content", "<s>"}, {"special", true}}},
                         {"4000", own},
                         {"4001", {{"content", "<|im_start|>"}, {"special", true}}}}}};
  scene.write("tokenizer_config.json", config.dump());
  const json listed = {
      {"added_tokens",
       {{{"id", 4002}, {"content", "<|user|>"}, {"special", false}, {"normalized", false}},
        {{"id", 4003}, {"content", "▁▁▁"}, {"special", false}, {"normalized", false}},
        {{"id", 4097}, {"content", "<|im_end|>"}, {"special", true}, {"normalized", false}},
        {{"id", 5000}, {"content", "<|no row|>"}, {"special", true}, {"normalized", false}}}}};
  scene.write("tokenizer.json", listed.dump());
  const json says = scene.metadata();
  const json& tokens = says["tokenizer.ggml.tokens"];
  const json& types = says["tokenizer.ggml.token_type"];
  const json& scores = says["tokenizer.ggml.scores"];
  const auto check = [&](std::size_t id, const std::string& text, int type) {
    INFO(id);
    CHECK(tokens[id] == text);
    CHECK(types[id] == type);
  };
  check(0, "<unk>", 2);
  check(1, "<s>", 3);
  // The user's tokens are looked for in text as it is: a blank is a blank.
  check(4000, " " + pieces[4000].first.substr(std::string("▁").size()), 4);
  CHECK(scores[4000].get<float>() == pieces[4000].second);
  check(4001, "<|im_start|>", 3);
  check(4002, "<|user|>", 4);
  CHECK(scores[4002] == -1000);
  check(4003, "   ", 4);
  check(4004, pieces[4004].first, 1);
  check(4096, "<|first|>", 4);
  check(4097, "<|im_end|>", 3);
  check(4098, "[PAD4098]", 5);
}

TEST_CASE("SentencePiece unigram in a GGUF file: how text is normalized stands there, too") {
  REGROUP_NEEDS_SHARED_DATA("goldens/tokenizers/sentencepiece-unigram");
  const Scene scene(1500);
  scene.copy(shared_data("goldens/tokenizers/sentencepiece-unigram/tokenizer.model"));
  const json says = scene.metadata();
  CHECK(says["tokenizer.ggml.model"] == "t5");
  CHECK(says["tokenizer.ggml.tokens"].size() == 1500);
  CHECK(says["tokenizer.ggml.precompiled_charsmap"].size() == 240007);
  CHECK(says["tokenizer.ggml.remove_extra_whitespaces"] == true);
  CHECK(says["tokenizer.ggml.eos_token_id"] == 1);
  CHECK(says["tokenizer.ggml.padding_token_id"] == 0);
  CHECK_FALSE(says.contains("tokenizer.ggml.bos_token_id"));
}

TEST_CASE("SentencePiece models that llama.cpp reads otherwise are refused") {
  REGROUP_NEEDS_SHARED_DATA("goldens/tokenizers");
  const auto file = shared_data("goldens/tokenizers/sentencepiece-bpe/tokenizer.model");
  const Scene scene(4096);
  // A second part of a message adds to the first: normalizer_spec with remove_extra_whitespaces.
  scene.write("tokenizer.model", read_file(file) + std::string("\x1a\x02\x20\x01", 4));
  CHECK_THAT(scene.refusal(), contains("merged blanks"));
  // The unigram model called BPE (trainer_spec), of text as it is (normalizer_spec): it has no
  // bytes.
  const auto unigram = shared_data("goldens/tokenizers/sentencepiece-unigram/tokenizer.model");
  scene.write("tokenizer.model", read_file(unigram) + std::string("\x12\x02\x18\x02", 4) +
                                     std::string("\x1a\x04\x12\x00\x20\x00", 6));
  CHECK_THAT(scene.refusal(), contains("without them"));
  scene.write("tokenizer.model", "no model");
  CHECK_THAT(scene.refusal(), contains("not a SentencePiece model"));
}
