// The tokenizer of a GGUF file's metadata: golden tokenizers, written as metadata and made files
// again, give the same ids; defaults of llama.cpp; refusals.

#include "models/text/gguf_tokenizer_files.hpp"

#include "models/checkpoint/gguf/gguf_fields.hpp"
#include "models/files/json_file.hpp"
#include "models/gguf/tokenizer_metadata.hpp"
#include "models/text/tokenizer.hpp"
#include "search/base/error.hpp"
#include "tests/fixtures/tiny_llama.hpp"
#include "tests/fixtures/tiny_tokenizer.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/error_message.hpp"
#include "tests/support/shared_data.hpp"
#include "tests/support/temporary_directory.hpp"

using namespace regroup;
using namespace regroup::models;
using namespace regroup::tests;
using nlohmann::json;

namespace {

/// "é" as a letter with a mark, and as one letter.
constexpr const char* kNotNormal = "e\u0301 vs \u00e9";

/// What GGUF says of the tokenizer whose files stand in `directory`.
GgufMetadata metadata_of(const std::filesystem::path& directory, int vocabulary) {
  TinyLlama shape;
  shape.vocabulary = vocabulary;
  shape.write(directory);
  return gguf_tokenizer(open_model(directory));
}

std::unique_ptr<Tokenizer> tokenizer_of(const GgufMetadata& metadata) {
  const TemporaryDirectory scratch;
  for (const auto& [name, content] : file_contents(gguf_tokenizer_files(metadata, "a.gguf"))) {
    scratch.write(name, content);
  }
  return load_tokenizer(scratch.path());
}

GgufMetadata tiny_metadata(const json& config = json::object()) {
  const TemporaryDirectory scratch;
  scratch.write("tokenizer.json", tiny_bpe().dump());
  scratch.write("tokenizer_config.json", config.dump());
  return metadata_of(scratch.path(), 265);
}

void set(GgufMetadata& metadata, const std::string& key, GgufValue value) {
  std::erase_if(metadata, [&](const GgufEntry& entry) { return entry.key == key; });
  metadata.push_back({key, std::move(value)});
}

/// The message of what is wrong with the tiny tokenizer where a key has another value, or none.
std::string refusal(const std::string& key, std::optional<GgufValue> value) {
  GgufMetadata metadata = tiny_metadata();
  std::erase_if(metadata, [&](const GgufEntry& entry) { return entry.key == key; });
  if (value) metadata.push_back({key, *value});
  return error_message<InputError>([&] { gguf_tokenizer_files(metadata, "a.gguf"); });
}

}  // namespace

TEST_CASE("tokenizers that were written as GGUF metadata give the ids that they gave before") {
  REGROUP_NEEDS_SHARED_DATA("goldens/tokenizers");
  for (const auto& [kind, rows] :
       {std::pair("gpt2", 2000), std::pair("llama3", 2002), std::pair("qwen2", 2003),
        std::pair("sentencepiece-bpe", 4096), std::pair("sentencepiece-unigram", 1500)}) {
    const auto folder = shared_data("goldens/tokenizers") / kind;
    const TemporaryDirectory scratch;
    for (const char* name : {"tokenizer.json", "tokenizer.model"}) {
      if (std::filesystem::exists(folder / name)) scratch.write(name, read_file(folder / name));
    }
    const auto again = tokenizer_of(metadata_of(scratch.path(), rows));
    INFO(kind);
    std::size_t compared = 0;
    std::vector<std::string> differ;
    for (const json& entry : read_json_file(folder / "cases.json")) {
      const auto text = entry["text"].get<std::string>();
      // As transformers has it, a SentencePiece model's own marks are found in text.
      if (text.find("<unk>") != std::string::npos) continue;
      ++compared;
      if (again->encode(text, false) != entry["ids_no_special"]) differ.push_back(text);
    }
    CHECK(compared > 40);
    // A GGUF file does not say that text is put into normal form C first; one text is not in it.
    const bool normalizes = kind == std::string("qwen2");
    CHECK(differ ==
          (normalizes ? std::vector<std::string>{kNotNormal} : std::vector<std::string>{}));
  }
}

TEST_CASE("a tokenizer.json of Llama's kind is written as the SentencePiece model behind it") {
  REGROUP_NEEDS_SHARED_DATA("troubles/llama-tokenizer-json-only");
  const auto folder = shared_data("troubles/llama-tokenizer-json-only");
  const TemporaryDirectory scratch;
  for (const char* name : {"tokenizer.json", "tokenizer_config.json"}) {
    scratch.write(name, read_file(folder / name));
  }
  const GgufMetadata metadata = metadata_of(scratch.path(), 4096);
  CHECK(*find_typed<std::string>(metadata, "tokenizer.ggml.model") == "llama");
  CHECK(*find_typed<bool>(metadata, "tokenizer.ggml.add_bos_token"));
  CHECK(*find_typed<std::uint32_t>(metadata, "tokenizer.ggml.unknown_token_id") == 0);
  const auto& types = *find_typed<std::vector<std::int32_t>>(metadata, "tokenizer.ggml.token_type");
  CHECK(std::vector(types.begin(), types.begin() + 4) == std::vector<std::int32_t>{2, 3, 3, 6});
  const auto again = tokenizer_of(metadata);
  std::size_t differ = 0;
  for (const json& entry : read_json_file(folder / "cases.json")) {
    const auto text = entry["text"].get<std::string>();
    if (text.find('<') != std::string::npos) continue;  // special tokens in the text
    differ += again->encode(text, true) != entry["ids"];
  }
  CHECK(differ == 0);

  json broken = read_json_file(folder / "tokenizer.json");
  const auto refusal_of = [&] {
    scratch.write("tokenizer.json", broken.dump());
    return error_message<InputError>([&] { metadata_of(scratch.path(), 4096); });
  };
  broken["model"]["merges"].erase(5);
  CHECK_THAT(refusal_of(), contains("▁the"));
  broken = read_json_file(folder / "tokenizer.json");
  std::swap(broken["model"]["merges"][3], broken["model"]["merges"][4]);
  CHECK_THAT(refusal_of(), contains("one after another"));
  broken = read_json_file(folder / "tokenizer.json");
  broken["pre_tokenizer"]["split"] = true;
  CHECK_THAT(refusal_of(), contains("Metaspace that splits"));
  broken["pre_tokenizer"] = nullptr;
  CHECK_THAT(refusal_of(), contains("blanks that stay"));
  broken["normalizer"] = {{"type", "Replace"}, {"pattern", {{"String", " "}}}, {"content", "▁"}};
  CHECK_THAT(refusal_of(), contains("no error"));
}

TEST_CASE("a tokenizer.json beside a SentencePiece model says what stands around a text") {
  REGROUP_NEEDS_SHARED_DATA("troubles/sentencepiece-with-added-tokens");
  const auto folder = shared_data("troubles/sentencepiece-with-added-tokens");
  const TemporaryDirectory scratch;
  for (const char* name : {"tokenizer.json", "tokenizer.model", "tokenizer_config.json"}) {
    scratch.write(name, read_file(folder / name));
  }
  const GgufMetadata metadata = metadata_of(scratch.path(), 4099);
  CHECK(*find_typed<bool>(metadata, "tokenizer.ggml.add_bos_token"));
  CHECK_FALSE(*find_typed<bool>(metadata, "tokenizer.ggml.add_eos_token"));
  const auto source = load_tokenizer(folder);
  const auto again = tokenizer_of(metadata);
  // Characters in no piece are bytes, though the last ids are those of added tokens.
  for (const char* text : {"Hello the house", "na\u00efve 1878 \U0001f642", ""}) {
    CAPTURE(text);
    CHECK(again->encode(text, true) == source->encode(text, true));
  }
}

TEST_CASE("what stands around a text, special tokens and the template come back") {
  const json config = {{"bos_token", "<|end|>"},
                       {"eos_token", "<|end|>"},
                       {"add_bos_token", true},
                       {"chat_template", "{{ naïve }}"}};
  const auto files = gguf_tokenizer_files(tiny_metadata(config), "a.gguf");
  CHECK(files.config["bos_token"] == "<|end|>");
  CHECK(files.config["chat_template"] == "{{ naïve }}");
  CHECK(files.config["tokenizer_class"] == "PreTrainedTokenizerFast");
  CHECK(files.sentencepiece.empty());
  CHECK(files.tokenizer["added_tokens"].size() == 1);
  CHECK(files.tokenizer["added_tokens"][0]["content"] == "<|end|>");
  CHECK(files.tokenizer["added_tokens"][0]["special"] == true);
  CHECK(files.tokenizer["model"]["vocab"].size() == 263);
  const auto tokenizer = tokenizer_of(tiny_metadata(config));
  CHECK(tokenizer->encode("the<|end|>", true) == std::vector<std::int32_t>{262, 257, 262});
  CHECK(tokenizer->decode(std::vector<std::int32_t>{262, 257}) == "the");
}

TEST_CASE("what a GGUF file leaves out of its tokenizer is as llama.cpp takes it") {
  GgufMetadata metadata = tiny_metadata();
  std::erase_if(metadata, [](const GgufEntry& entry) {
    return entry.key == "tokenizer.ggml.add_bos_token" ||
           entry.key == "tokenizer.ggml.add_eos_token";
  });
  const auto adds_begin = [&](const char* pre) {
    set(metadata, "tokenizer.ggml.pre", std::string(pre));
    return gguf_tokenizer_files(metadata, "a.gguf").config["add_bos_token"].get<bool>();
  };
  CHECK_FALSE(adds_begin("qwen2"));
  set(metadata, "tokenizer.ggml.bos_token_id", std::uint32_t{262});
  CHECK(adds_begin("llama-bpe"));
  CHECK(adds_begin("llama3"));
  CHECK_FALSE(adds_begin("smollm"));
  set(metadata, "tokenizer.ggml.pre", std::string("tekken"));
  CHECK(gguf_tokenizer_files(metadata, "a.gguf").tokenizer["model"]["ignore_merges"] == true);

  const GgufMetadata pieces = {
      {"tokenizer.ggml.model", std::string("llama")},
      {"tokenizer.ggml.tokens",
       std::vector<std::string>{"<unk>", "<s>", "</s>", "<0x41>", "▁", "h", "i", "▁hi", "hi"}},
      {"tokenizer.ggml.scores", std::vector<float>{0, 0, 0, 0, -3, -4, -5, -1, -2}},
      {"tokenizer.ggml.token_type", std::vector<std::int32_t>{3, 3, 3, 6, 1, 1, 1, 1, 1}}};
  const auto tokenizer = tokenizer_of(pieces);
  CHECK(tokenizer->encode("hi", true) == std::vector<std::int32_t>{1, 7});
  CHECK(tokenizer->encode("A", false) == std::vector<std::int32_t>{4, 3});
  CHECK(tokenizer->decode(std::vector<std::int32_t>{1, 7, 7}) == "hi hi");
}

TEST_CASE("the user's tokens have blanks in a GGUF file and their mark in a SentencePiece model") {
  const GgufMetadata metadata = {
      {"tokenizer.ggml.model", std::string("llama")},
      {"tokenizer.ggml.tokens",
       std::vector<std::string>{"<unk>", "<s>", "</s>", "▁", "h", "   ", "<|x|>"}},
      {"tokenizer.ggml.scores", std::vector<float>{0, 0, 0, -3, -4, -1000, -1000}},
      {"tokenizer.ggml.token_type", std::vector<std::int32_t>{2, 3, 3, 1, 1, 4, 4}},
      {"tokenizer.ggml.add_bos_token", false},
      {"tokenizer.ggml.add_space_prefix", false}};
  const auto tokenizer = tokenizer_of(metadata);
  CHECK(tokenizer->encode("h   h<|x|>h", true) == std::vector<std::int32_t>{4, 5, 4, 6, 4});
  CHECK(tokenizer->decode(std::vector<std::int32_t>{4, 5, 4}) == "h   h");
}

TEST_CASE("tokenizers of GGUF files that cannot be read are refused by what is missing") {
  const auto key = [](const char* own) { return std::string("tokenizer.ggml.") + own; };
  CHECK_THAT(refusal(key("model"), std::string("bert")), contains("bert") && contains("gpt2"));
  CHECK_THAT(refusal(key("model"), std::string("no_vocab")), contains("token ids"));
  CHECK_THAT(refusal(key("model"), std::nullopt), contains("tokenizer.ggml.model"));
  CHECK_THAT(refusal(key("pre"), std::string("odd")), contains("odd") && contains("tekken"));
  CHECK_THAT(refusal(key("pre"), std::nullopt), contains("tokenizer.ggml.pre"));
  CHECK_THAT(refusal(key("merges"), std::nullopt), contains("tokenizer.ggml.merges"));
  CHECK_THAT(refusal(key("tokens"), std::vector<float>{1}), contains("another type"));
  CHECK_THAT(refusal(key("tokens"), std::vector<std::string>(265, "a")), contains("its own"));
  CHECK_THAT(refusal(key("tokens"), std::vector<std::string>{"\xff"}), contains("UTF-8"));
  CHECK_THAT(refusal(key("token_type"), std::vector<std::int32_t>{1}), contains("265"));
  CHECK_THAT(refusal(key("token_type"), std::vector<std::int32_t>(265, 9)), contains("1 to 6"));
  CHECK_THAT(refusal(key("bos_token_id"), std::uint32_t{265}), contains("bos_token_id"));
  CHECK_THAT(refusal(key("model"), std::string("llama")), contains("tokenizer.ggml.scores"));
}
