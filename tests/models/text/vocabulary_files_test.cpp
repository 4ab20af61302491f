// Tokenizers of vocabularies without a tokenizer.json: classes of transformers, tiktoken's text
// form.

#include "models/files/json_file.hpp"
#include "models/text/tokenizer.hpp"
#include "search/base/error.hpp"
#include "tests/fixtures/tiny_tokenizer.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/error_message.hpp"
#include "tests/support/temporary_directory.hpp"

using namespace regroup;
using namespace regroup::models;
using namespace regroup::tests;
using nlohmann::json;

namespace {

using Ids = std::vector<std::int32_t>;

/// vocab.json and merges.txt of the tiny BPE, with these tokens behind.
void write_vocabulary(const TemporaryDirectory& scratch, const std::vector<std::string>& more) {
  const json bpe = tiny_bpe();
  json vocabulary = bpe["model"]["vocab"];
  for (const std::string& token : more) vocabulary[token] = vocabulary.size();
  std::string merges;
  for (const json& merge : bpe["model"]["merges"]) {
    merges += merge[0].get<std::string>() + " " + merge[1].get<std::string>() + "\n";
  }
  scratch.write("vocab.json", vocabulary.dump());
  scratch.write("merges.txt", merges);
}

Ids encoded(const TemporaryDirectory& scratch, std::string_view text) {
  return load_tokenizer(scratch.path())->encode(text, true);
}

}  // namespace

TEST_CASE("Qwen2's class normalizes and cuts digits, by its name or by the model's type") {
  const TemporaryDirectory scratch;
  write_vocabulary(scratch, {"12"});
  CHECK(encoded(scratch, "e\u0301") == Ids{'e', 0xcc, 0x81});
  for (const char* file : {"tokenizer_config.json", "config.json"}) {
    const bool is_config = std::string_view(file) == "config.json";
    scratch.write("tokenizer_config.json", "{}");
    scratch.write(file, is_config ? R"({"model_type": "qwen2"})"
                                  : R"({"tokenizer_class": "Qwen2TokenizerFast"})");
    CHECK(encoded(scratch, "e\u0301 the") == Ids{0xc3, 0xa9, 259});
    CHECK(encoded(scratch, "\nthe") == Ids{'\n', 257});
  }
}

TEST_CASE("RoBERTa's class puts a text between its tokens") {
  const TemporaryDirectory scratch;
  write_vocabulary(scratch, {"<s>", "</s>", "<mask>"});
  scratch.write("tokenizer_config.json", R"({"tokenizer_class": "RobertaTokenizer"})");
  CHECK(encoded(scratch, "the <mask>") == Ids{262, 257, 264, 263});
  scratch.write("vocab.json", tiny_bpe()["model"]["vocab"].dump());
  CHECK_THAT(error_message<InputError>([&] { load_tokenizer(scratch.path()); }),
             contains("cls_token"));
}

TEST_CASE("vocab.txt is BERT's tokenizer") {
  const TemporaryDirectory scratch;
  scratch.write("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nthe\nun\n##able\n\u4f60\ne\n");
  CHECK(encoded(scratch, "The UNable\u4f60? [MASK]") == Ids{2, 5, 6, 7, 8, 1, 4, 3});
  CHECK(load_tokenizer(scratch.path())->decode(Ids{2, 5, 6, 7, 3}) == "the unable");
  scratch.write("tokenizer_config.json", R"({"do_lower_case": false})");
  CHECK(encoded(scratch, "The the") == Ids{2, 1, 5, 3});
  CHECK(encoded(scratch, "e\u0301") == Ids{2, 1, 3});
  scratch.write("tokenizer_config.json", R"({"tokenizer_class": "CpmAntTokenizer"})");
  CHECK_THAT(error_message<InputError>([&] { load_tokenizer(scratch.path()); }),
             contains("CpmAntTokenizer"));
  scratch.write("tokenizer_config.json", "{}");
  scratch.write("vocab.txt", "[UNK]\n[CLS]\n");
  CHECK_THAT(error_message<InputError>([&] { load_tokenizer(scratch.path()); }), contains("[SEP]"));
}

TEST_CASE("tokenizer.model may be tiktoken's text form") {
  const TemporaryDirectory scratch;
  // a, b, " ", ab, " ab", then "ba".
  scratch.write("tokenizer.model", "YQ== 0\nYg== 1\nIA== 2\nYWI= 3\nIGFi 4\nYmE= 5\n");
  CHECK(encoded(scratch, "ab ab") == Ids{3, 4});
  CHECK(encoded(scratch, "aba") == Ids{3, 0});
  CHECK(encoded(scratch, "bab") == Ids{1, 3});
  scratch.write("tokenizer_config.json", R"({
      "add_bos_token": true, "bos_token": "<|begin|>",
      "added_tokens_decoder": {"7": {"content": "<|begin|>", "normalized": false, "special": true}}})");
  CHECK(encoded(scratch, "ab<|begin|>") == Ids{7, 3, 7});
  CHECK(load_tokenizer(scratch.path())->decode(Ids{7, 3, 4}) == "ab ab");
  scratch.write("tokenizer.model", "YQ== 0\nYg== x\n");
  CHECK_THAT(error_message<InputError>([&] { load_tokenizer(scratch.path()); }),
             contains("tokenizer.model, line 2"));
  scratch.write("tokenizer.model", "YQ== 0\n*g== 1\n");
  CHECK_THAT(error_message<InputError>([&] { load_tokenizer(scratch.path()); }),
             contains("base 64"));
}
