#include "models/inputs/dataset.hpp"

#include "search/base/error.hpp"
#include "tests/fixtures/random_checkpoint.hpp"
#include "tests/fixtures/tiny_family.hpp"
#include "tests/fixtures/tiny_tokenizer.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/error_message.hpp"
#include "tests/support/temporary_directory.hpp"

using namespace regroup;
using namespace regroup::models;
using namespace regroup::tests;
using Ids = std::vector<std::int32_t>;

namespace {

/// A tiny model of a family with a tokenizer.
struct Scene {
  Scene(std::string_view architecture, const nlohmann::json& tokenizer, int vocabulary) {
    nlohmann::json config = tiny_config(architecture);
    config["vocab_size"] = vocabulary;
    config["eos_token_id"] = 1;
    write_checkpoint(scratch.path() / "model", config, random_values(config, 1));
    scratch.write("model/tokenizer.json", tokenizer.dump());
  }

  PretrainedModel open() const { return open_model(scratch.path() / "model"); }
  Dataset read(const std::string& name, const std::string& text) const {
    return read_dataset(scratch.write(name, text), open());
  }
  std::string refusal(const std::string& name, const std::string& text) const {
    return error_message<InputError>([&] { read(name, text); });
  }

  TemporaryDirectory scratch;
};

}  // namespace

TEST_CASE("every window of a masked model's text has the tokenizer's special tokens around it") {
  const Scene scene("BertForMaskedLM", tiny_word_piece(), 20);
  const Dataset data = scene.read("a.txt", "naive a naive a a naive, a");
  CHECK(data.size() == 7);
  const Windows windows = windows_of(data, scene.open().config, 5, 0);
  REQUIRE(windows.size() == 2);
  const auto inputs = [&](std::size_t w) { return Ids(windows[w].begin(), windows[w].end() - 1); };
  CHECK(inputs(0) == Ids{1, 10, 8, 10, 2});
  CHECK(inputs(1) == Ids{1, 8, 8, 10, 2});
  CHECK(windows.tokens() == 10);
  CHECK_THAT(error_message<InputError>([&] { windows_of(data, scene.open().config, 2, 0); }),
             contains("3"));
  // Ids that the user gives stand as they are.
  const Dataset ids = scene.read("a.bin", std::string("\x05\x00\x06\x00\x07\x00\x08\x00", 8));
  const Windows plain = windows_of(ids, scene.open().config, 3, 0);
  CHECK(Ids(plain.ids().begin(), plain.ids().end()) == Ids{5, 6, 7, 8});
}

TEST_CASE("pairs of texts are read line by line, each half closed by end-of-sequence") {
  const Scene scene("T5ForConditionalGeneration", tiny_bpe(), 300);
  const Dataset data = scene.read(
      "a.jsonl",
      "{\"source\": \"the\", \"target\": \"in the\"}\n\n{\"target\": \"a\", \"source\": \"b\"}\n");
  CHECK(data.size() == 2);
  const Windows pairs = windows_of(data, scene.open().config, 16, 0);
  REQUIRE(pairs.size() == 2);
  CHECK(pairs.pairs()[0] == TokenPair{{257, 1}, {260, 259, 1}});
  CHECK(pairs.pairs()[1] == TokenPair{{'b', 1}, {'a', 1}});
  CHECK(pairs.tokens() == 5);
  CHECK(pairs.context() == 3);
  CHECK(pairs.part(1, 2) == Windows::of_pairs({pairs.pairs()[1]}));
}

TEST_CASE("texts with their classes are read line by line, a class by number or name") {
  const Scene scene("BertForSequenceClassification", tiny_word_piece(), 20);
  const Dataset data = scene.read("a.jsonl",
                                  "{\"text\": \"naive a\", \"label\": 2}\n\n"
                                  "{\"label\": \"dog\", \"text\": \"a\"}\n");
  CHECK(data.size() == 2);
  const Windows texts = windows_of(data, scene.open().config, 16, 0);
  CHECK(texts.kind() == WindowKind::kTexts);
  REQUIRE(texts.size() == 2);
  CHECK(texts.pairs()[0] == TokenPair{{1, 10, 8, 2}, {2}});
  CHECK(texts.pairs()[1] == TokenPair{{1, 8, 2}, {1}});
  CHECK(texts.context() == 4);
  CHECK(texts.part(1, 2) == Windows::of_texts({texts.pairs()[1]}));
  CHECK_FALSE(texts == Windows::of_pairs({texts.pairs()[0], texts.pairs()[1]}));
}

TEST_CASE("texts without a class of the model are refused with their line") {
  const Scene scene("BertForSequenceClassification", tiny_word_piece(), 20);
  const auto line = [](const std::string& label) {
    return "{\"text\": \"a\", \"label\": 0}\n{\"text\": \"a\"" + label + "}\n";
  };
  for (const std::string label : {", \"label\": 3", ", \"label\": -1", ", \"label\": \"bird\"",
                                  ", \"label\": 1.0", "", ", \"label\": null"}) {
    CAPTURE(label);
    const std::string message = scene.refusal("a.jsonl", line(label));
    CHECK_THAT(message, contains("line 2"));
    CHECK_THAT(message, contains("0 to 2"));
  }
  CHECK_THAT(scene.refusal("a.jsonl", "{\"label\": 1}\n"), contains("text"));
  CHECK_THAT(scene.refusal("a.jsonl", "\n"), contains("label"));
  std::string long_text;
  for (int i = 0; i < 16; ++i) long_text += "a ";
  CHECK_THAT(scene.refusal("a.jsonl", "{\"text\": \"" + long_text + "\", \"label\": 1}\n"),
             contains("1 to 16 tokens"));
}

TEST_CASE("a token limit takes whole windows spread evenly over the data") {
  const Scene scene("BertForMaskedLM", tiny_word_piece(), 20);
  const ModelConfig config = scene.open().config;
  std::string bytes;
  for (char id = 0; id < 11; ++id) bytes += {id, '\0'};
  const Dataset ids = scene.read("a.bin", bytes);
  const auto limited = [&](std::size_t most) {
    const Windows windows = windows_of(ids, config, 2, most);
    return Ids(windows.ids().begin(), windows.ids().end());
  };
  CHECK(limited(0) == Ids{0, 1, 2, 2, 3, 4, 4, 5, 6, 6, 7, 8, 8, 9, 10});
  CHECK(limited(1000) == limited(0));
  CHECK(limited(10) == limited(0));
  CHECK(limited(9) == Ids{0, 1, 2, 2, 3, 4, 4, 5, 6, 6, 7, 8});
  CHECK(limited(5) == Ids{0, 1, 2, 4, 5, 6});
  CHECK(limited(2) == Ids{0, 1, 2});
  CHECK_THAT(error_message<InputError>([&] { limited(1); }), contains("at least 2"));
}

TEST_CASE("of pairs a token limit counts the tokens of targets") {
  const Scene scene("T5ForConditionalGeneration", tiny_bpe(), 300);
  const ModelConfig config = scene.open().config;
  const std::string brief = R"({"source": "b", "target": "a"})";         // 2 tokens
  const std::string full = R"({"source": "the", "target": "aaaaaaa"})";  // 8 tokens
  const Dataset data =
      scene.read("a.jsonl", full + "\n" + brief + "\n" + brief + "\n" + brief + "\n");
  const auto sizes = [&](std::size_t most) {
    std::vector<std::size_t> found;
    const Windows windows = windows_of(data, config, 16, most);
    for (const TokenPair& pair : windows.pairs()) found.push_back(pair.target.size());
    return found;
  };
  CHECK(sizes(0) == std::vector<std::size_t>{8, 2, 2, 2});
  CHECK(sizes(13) == std::vector<std::size_t>{8, 2, 2});
  CHECK(sizes(11) == std::vector<std::size_t>{8, 2});
  CHECK(sizes(9) == std::vector<std::size_t>{8});
  CHECK_THAT(error_message<InputError>([&] { sizes(7); }), contains("at least 8"));
}

TEST_CASE("images are spread by their numbers, also from a part of them") {
  const Scene scene("ViTForImageClassification", tiny_bpe(), 300);
  const Windows images = random_windows(scene.open().config, 10, 1);
  const auto numbers = [](const Windows& some) {
    std::vector<std::size_t> found;
    for (std::size_t w = 0; w < some.size(); ++w) found.push_back(some.image(w));
    return found;
  };
  CHECK(numbers(images.spread(3)) == std::vector<std::size_t>{0, 3, 6});
  CHECK(numbers(images.part(4, 10).spread(3)) == std::vector<std::size_t>{4, 6, 8});
  CHECK(images.spread(10) == images);
  CHECK_FALSE(images.part(0, 3) == images.part(3, 6));  // of the same classes
}

TEST_CASE("a broken file of pairs is refused by line and field") {
  const Scene scene("T5ForConditionalGeneration", tiny_bpe(), 300);
  CHECK_THAT(scene.refusal("a.jsonl", "{\"source\": \"a\", \"target\": \"b\"}\n{\"source\": 3}\n"),
             contains("line 2") && contains("source"));
  CHECK_THAT(scene.refusal("a.jsonl", "{\"source\": \"a\"}\n"), contains("target"));
  CHECK_THAT(scene.refusal("a.jsonl", "[1]\n"), contains("line 1"));
  CHECK_THAT(scene.refusal("a.jsonl", "{\"source\": \n"), contains("line 1"));
  CHECK_THAT(scene.refusal("a.jsonl", "\n"), contains("no pairs"));
}

TEST_CASE("documents are one text, with the end-of-sequence id between them") {
  Scene scene("LlamaForCausalLM", tiny_bpe(), 300);
  const std::string file = "{\"text\": \"the\"}\n\n{\"page\": \"th\\nin\"}\n{\"text\": \"\"}\n";
  const auto ids = [&](DocumentJoin join, const std::string& name) {
    const Dataset data = read_dataset(scene.scratch.write(name, file), scene.open(), join);
    CHECK(data.documents == (name == "a.jsonl" ? 3 : 0));
    return std::get<TokenStream>(data.content).ids;
  };
  CHECK(ids(DocumentJoin::kEnd, "a.jsonl") == Ids{257, 1, 256, '\n', 260, 1});
  CHECK(ids(DocumentJoin::kNewline, "a.jsonl") == Ids{257, '\n', 256, '\n', 260, '\n'});
  CHECK(ids(DocumentJoin::kBlankLine, "a.jsonl") ==
        Ids{257, '\n', '\n', 256, '\n', 260, '\n', '\n'});
  CHECK(ids(DocumentJoin::kNone, "a.jsonl") == Ids{257, 256, '\n', 260});
  // Under another name the same file is text.
  CHECK(ids(DocumentJoin::kEnd, "a.txt").size() > 20);
}

TEST_CASE("what the tokenizer adds stands once around documents, and closes them without an EOS") {
  Scene scene("BertForMaskedLM", tiny_word_piece(), 20);
  const std::string file = "{\"text\": \"a\"}\n{\"text\": \"naive a\"}\n";
  nlohmann::json config = tiny_config("BertForMaskedLM");
  config["vocab_size"] = 20;
  config.erase("eos_token_id");
  scene.scratch.write("model/config.json", config.dump());
  const auto stream = std::get<TokenStream>(scene.read("a.jsonl", file).content);
  CHECK(stream.before == Ids{1});
  CHECK(stream.ids == Ids{8, 2, 10, 8});
  CHECK(stream.after == Ids{2});
}

TEST_CASE("documents that cannot be joined are refused") {
  Scene scene("LlamaForCausalLM", tiny_bpe(), 300);
  CHECK_THAT(scene.refusal("a.jsonl", "{\"text\": \"a\"}\n{\"body\": \"b\"}\n"),
             contains("line 2"));
  CHECK_THAT(scene.refusal("a.jsonl", "{\"body\": \"b\"}\n"), contains("text"));
  CHECK_THAT(scene.refusal("a.jsonl", "The house.\n"), contains("line 1"));
  CHECK_THAT(scene.refusal("a.jsonl", "\n"), contains("no documents"));
  nlohmann::json config = tiny_config("LlamaForCausalLM");
  config["vocab_size"] = 300;
  config["eos_token_id"] = nullptr;
  scene.scratch.write("model/config.json", config.dump());
  CHECK_THAT(scene.refusal("a.jsonl", "{\"text\": \"a\"}\n"), contains("--join newline"));
}
