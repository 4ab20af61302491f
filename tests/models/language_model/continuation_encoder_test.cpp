#include "models/text/continuation_encoder.hpp"

#include <fstream>

#include "search/base/error.hpp"
#include "tests/fixtures/language_model/text_model.hpp"
#include "tests/fixtures/tiny_llama.hpp"
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

const json kAddsBegin = {{"add_bos_token", true}, {"bos_token", "<|end|>"}};

struct Scene {
  explicit Scene(const json& tokenizer_config = nullptr) : model(written(tokenizer_config)) {}

  std::shared_ptr<const PretrainedModel> written(const json& tokenizer_config) const {
    write_text_model(scratch.path(), tokenizer_config);
    return open_text_model(scratch.path());
  }
  Continuation encode(const std::string& context, const std::string& continuation,
                      int longest = 16) const {
    return ContinuationEncoder(*model, longest).continuation(context, continuation, "here");
  }

  TemporaryDirectory scratch;
  std::shared_ptr<const PretrainedModel> model;
};

/// One window of lm-evaluation-harness: what is read and what is predicted.
struct Window {
  Ids inputs;
  Ids predicted;
};

/// Rolling windows by their description there (context_len 1): the first one predicts as many
/// tokens as fit after the prefix, each later one the next so many after the last of them, and the
/// last one reads as many tokens as the others.
std::vector<Window> naive_windows(const Ids& tokens, std::int32_t prefix, std::size_t longest) {
  std::vector<Window> windows;
  if (tokens.empty()) return windows;
  const auto from = [&](std::size_t begin, std::size_t end) {
    return Ids(tokens.begin() + static_cast<std::ptrdiff_t>(begin),
               tokens.begin() + static_cast<std::ptrdiff_t>(end));
  };
  std::size_t done = std::min(longest, tokens.size());
  Window first{from(0, done - 1), from(0, done)};
  first.inputs.insert(first.inputs.begin(), prefix);
  windows.push_back(first);
  while (done < tokens.size()) {
    const std::size_t end = std::min(tokens.size(), done + longest);
    windows.push_back({from(end - longest - 1, end - 1), from(done, end)});
    done = end;
  }
  return windows;
}

}  // namespace

TEST_CASE("a continuation begins where the ids of its context end") {
  const Scene scene;
  const Continuation plain = scene.encode("ab", " the");
  CHECK(plain.ids == Ids{'a', 'b', 259});
  CHECK(plain.scored == 1);
  CHECK(plain.left_out == 0);
  CHECK(std::ranges::equal(plain.inputs(), Ids{'a', 'b'}));
  // "in" and "g" are one token together: the cut is by number, as in lm-evaluation-harness.
  const Continuation merged = scene.encode("xin", "gs");
  CHECK(merged.ids == Ids{'x', 261, 's'});
  CHECK(merged.scored == 1);
}

TEST_CASE("white space at the end of a context belongs to the continuation") {
  const Scene scene;
  const Continuation space = scene.encode("ab ", "the");
  CHECK(space.ids == Ids{'a', 'b', 259});
  CHECK(space.scored == 1);
  const Continuation several = scene.encode("ab \n ", "the");
  CHECK(several.ids == Ids{'a', 'b', ' ', '\n', 259});
  CHECK(several.scored == 3);
  const Continuation wide = scene.encode("ab\u00a0", "x");  // two bytes
  CHECK(wide.scored == 3);
}

TEST_CASE("special ids stand where the tokenizer adds them") {
  const Continuation begun = Scene(kAddsBegin).encode("ab", "c");
  CHECK(begun.ids == Ids{262, 'a', 'b', 'c'});
  CHECK(begun.scored == 1);
  const Continuation alone = Scene(kAddsBegin).encode("", "bc");
  CHECK(alone.ids == Ids{262, 'b', 'c'});
  CHECK(alone.scored == 2);
}

TEST_CASE("without a context the prefix stands before a continuation") {
  CHECK(Scene(json{{"bos_token", "<|end|>"}}).encode("", "bc").ids == Ids{262, 'b', 'c'});
  CHECK(Scene(json{{"eos_token", "<|end|>"}}).encode("", "bc").ids == Ids{262, 'b', 'c'});
  CHECK(Scene(json{{"bos_token", "th"}, {"eos_token", "<|end|>"}}).encode("", "bc").ids ==
        Ids{256, 'b', 'c'});
  const Continuation blank = Scene().encode(" ", "bc");  // bos_token_id of config.json
  CHECK(blank.ids == Ids{1, ' ', 'b', 'c'});
  CHECK(blank.scored == 3);

  const Scene scene;
  json config = TinyLlama().config();
  config["vocab_size"] = 263;
  config["bos_token_id"] = nullptr;
  std::ofstream(scene.scratch.path() / "config.json") << config.dump();
  const auto without = open_text_model(scene.scratch.path());
  const ContinuationEncoder encoder(*without, 16);
  CHECK(encoder.continuation("a", "b", "here").ids == Ids{'a', 'b'});
  CHECK_THAT(error_message<InputError>([&] { encoder.continuation("", "b", "here"); }),
             contains("no token to begin a text with"));
}

TEST_CASE("of what is too long the last ids stay") {
  const Scene scene;
  const Continuation cut = scene.encode("abcdef", "gh", 4);
  CHECK(cut.ids == Ids{'d', 'e', 'f', 'g', 'h'});
  CHECK(cut.scored == 2);
  CHECK(cut.left_out == 3);
  CHECK(scene.encode("abc", "gh", 4).left_out == 0);
  const Continuation longer = scene.encode("abc", "defghi", 4);
  CHECK(longer.ids == Ids{'e', 'f', 'g', 'h', 'i'});
  CHECK(longer.scored == 4);
}

TEST_CASE("continuations that cannot be asked for are refused") {
  const Scene scene;
  const auto refusal = [&](const std::string& context, const std::string& continuation) {
    return error_message<InputError>([&] { scene.encode(context, continuation); });
  };
  CHECK_THAT(refusal("t", "he"), contains("adds no tokens"));
  CHECK_THAT(refusal("t", "he"), contains("where: here"));
  CHECK_THAT(refusal("abc", ""), contains("adds no tokens"));
  CHECK_THAT(refusal("", ""), contains("adds no tokens"));

  TinyLlama small;
  small.vocabulary = 100;
  small.write(scene.scratch.path());
  const auto model = open_text_model(scene.scratch.path());
  const ContinuationEncoder encoder(*model, 16);
  CHECK_THAT(error_message<InputError>([&] { encoder.continuation("a", "z", "here"); }),
             contains("here, token 1"));
  CHECK_THAT(error_message<InputError>([&] { encoder.rolling("az", "here"); }),
             contains("here, token 1"));
}

TEST_CASE("rolling windows are those of lm-evaluation-harness") {
  const Scene scene(kAddsBegin);
  const std::string text = "abcdefghijklmnopqrsuvwxyz";  // an id a letter
  int windows = 0;
  for (const int longest : {1, 2, 3, 4, 16}) {
    const ContinuationEncoder encoder(*scene.model, longest);
    for (std::size_t length = 0; length <= text.size(); ++length) {
      CAPTURE(longest, length);
      const std::string part = text.substr(0, length);
      const auto expected =
          naive_windows(Ids(part.begin(), part.end()), 262, static_cast<std::size_t>(longest));
      const auto found = encoder.rolling(part, "here");
      REQUIRE(found.size() == expected.size());
      for (std::size_t w = 0; w < found.size(); ++w, ++windows) {
        CHECK(std::ranges::equal(found[w].inputs(), expected[w].inputs));
        const auto scored = std::span(found[w].ids).last(found[w].scored);
        CHECK(std::ranges::equal(scored, expected[w].predicted));
        CHECK(found[w].left_out == 0);
      }
    }
  }
  CHECK(windows > 500);
}
