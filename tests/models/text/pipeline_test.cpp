// Every part of a tokenizer.json against Hugging Face's tokenizers (pipeline_goldens/make.py).

#include <algorithm>
#include <random>

#include "models/files/json_file.hpp"
#include "models/text/make_tokenizer.hpp"
#include "models/text/pipeline/utf8.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/paths.hpp"

using namespace regroup;
using namespace regroup::models;
using namespace regroup::tests;
using nlohmann::json;

namespace {

using Ids = std::vector<std::int32_t>;

}  // namespace

TEST_CASE("pipelines of every part give the ids and the text of Hugging Face's tokenizers") {
  const json goldens =
      read_json_file(source_folder() / "tests/models/text/pipeline_goldens/pipelines.json");
  const json& texts = goldens.at("texts");
  std::size_t ids = 0;
  for (const json& pipeline : goldens.at("pipelines")) {
    const std::string name = pipeline.at("name");
    const auto tokenizer = make_json_tokenizer(pipeline.at("tokenizer"), json::object(), name);
    REQUIRE(pipeline.at("cases").size() == texts.size());
    for (std::size_t i = 0; i < texts.size(); ++i) {
      const std::string text = texts[i];
      const json& expected = pipeline["cases"][i];
      CAPTURE(name, i, text);
      const Ids found = tokenizer->encode(text, true);
      CHECK(found == expected[0].get<Ids>());
      CHECK(tokenizer->encode(text, false) == expected[1].get<Ids>());
      CHECK(replace_invalid_utf8(tokenizer->decode(found)) == expected[2].get<std::string>());
      ids += found.size();
    }
  }
  CHECK(goldens.at("pipelines").size() > 25);
  CHECK(ids > 10'000);
}

TEST_CASE("a long text gives what its parts give, cut where no token lies across") {
  const json goldens =
      read_json_file(source_folder() / "tests/models/text/pipeline_goldens/pipelines.json");
  std::mt19937_64 random(5);
  for (const char* kind : {"llama", "gemma", "unigram-bytes"}) {
    const auto& all = goldens.at("pipelines");
    const auto pipeline = std::find_if(all.begin(), all.end(),
                                       [&](const json& entry) { return entry.at("name") == kind; });
    REQUIRE(pipeline != all.end());
    const auto tokenizer = make_json_tokenizer(pipeline->at("tokenizer"), json::object(), kind);
    std::string text;
    Ids expected;
    // <x> is a token by itself, so that what lies between two of them is a text of its own.
    for (int n = 0; n < 2'000; ++n) {
      const std::string part = goldens["texts"][random() % goldens["texts"].size()];
      const std::string enclosed = "<x>" + part + "<x>";
      const Ids ids = tokenizer->encode(enclosed, false);
      expected.insert(expected.end(), ids.begin(), ids.end());
      text += enclosed;
    }
    CAPTURE(kind);
    CHECK(tokenizer->encode(text, false) == expected);
  }
}
