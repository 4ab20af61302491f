// Classifiers of texts from a config.json to a searched and trained model, with the built program.

#include <nlohmann/json.hpp>

#include "search/base/random.hpp"
#include "tests/apps/program.hpp"
#include "tests/apps/search_scene.hpp"
#include "tests/fixtures/tiny_family.hpp"
#include "tests/fixtures/tiny_tokenizer.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temporary_directory.hpp"

using namespace regroup;
using namespace regroup::tests;
using nlohmann::json;

namespace {

/// A config.json with a tokenizer, and texts whose class is their first word.
class TextScene {
 public:
  explicit TextScene(const json& changes = json::object()) {
    json config = tiny_config("BertForSequenceClassification");
    config["initializer_range"] = 0.2;
    config.update(changes);
    scratch_.write("config.json", config.dump());
    scratch_.write("words/tokenizer.json", tiny_word_piece().dump());
    scratch_.write("train.jsonl", texts(200, 1));
    scratch_.write("test.jsonl", texts(60, 2));
  }

  std::string path(const std::string& name) const { return (scratch_.path() / name).string(); }
  void write(const std::string& name, const std::string& text) const { scratch_.write(name, text); }

  apps::ProcessResult train(const std::string& out, std::vector<std::string> more = {}) const {
    more.insert(more.begin(), {"train", path("config.json"), "--tokenizer", path("words"), "-o",
                               path(out), "-q"});
    return run_regroup(with_defaults(std::move(more), {{"--data", path("train.jsonl")},
                                                       {"--validation", path("test.jsonl")},
                                                       {"--tokens", "20k"},
                                                       {"--batch-tokens", "200"},
                                                       {"--lr", "0.01"}}));
  }
  double accuracy(const std::string& model, const std::vector<std::string>& more = {}) const {
    std::vector<std::string> all = {"eval",   path(model),        "--task", "text-classification",
                                    "--data", path("test.jsonl"), "--json", "-q"};
    all.insert(all.end(), more.begin(), more.end());
    const apps::ProcessResult result = run_regroup(all);
    INFO(result.error);
    REQUIRE(result.exit_status == 0);
    return json::parse(result.output).at("results").at("text-classification").at("acc,none");
  }

 private:
  static std::string texts(int count, std::uint64_t seed) {
    const std::vector<std::string> words = {"naive", "un", "a"};
    const std::vector<std::string> names = {"cat", "dog", "owl"};
    search::RandomStream random{search::RandomKey(seed)};
    std::string lines;
    for (int i = 0; i < count; ++i) {
      const std::size_t label = random.below(3);
      std::string text = words[label];
      for (std::size_t rest = random.below(5); rest > 0; --rest)
        text += " " + words[random.below(3)];
      lines += json{{"text", text}, {"label", names[label]}}.dump() + "\n";
    }
    return lines;
  }

  TemporaryDirectory scratch_;
};

}  // namespace

TEST_CASE("a classifier of texts is trained from nothing, searched, converted and trained on") {
  const TextScene scene;
  const apps::ProcessResult made = scene.train("made");
  INFO(made.error);
  REQUIRE(made.exit_status == 0);
  CHECK(scene.accuracy("made/model") > 0.9);
  const json record = json::parse(read_file(scene.path("made/train.json")));
  CHECK(record.at("trained").at("accuracy").get<double>() == scene.accuracy("made/model"));
  CHECK(record.at("zero_shot").at("accuracy").get<double>() < 0.7);

  const apps::ProcessResult found = run_regroup(
      {"search", scene.path("made/model"), "-o", scene.path("run"), "--kv", "0.5", "--calibration",
       scene.path("train.jsonl"), "--eval", scene.path("test.jsonl"), "-q"});
  INFO(found.error);
  REQUIRE(found.exit_status == 0);
  const json front = json::parse(read_file(scene.path("run/front.json")));
  const json& point = front.at("points").at(0);
  CHECK(front.at("source").at("accuracy").get<double>() == scene.accuracy("made/model"));
  const std::string grouping = scene.path("run/" + point.at("grouping").get<std::string>());
  CHECK(point.at("accuracy").get<double>() ==
        scene.accuracy("made/model", {"--grouping", grouping}));
  CHECK(json::parse(read_file(scene.path("run/run.json"))).at("data").at("eval").at("texts") == 60);
  REQUIRE(run_regroup({"convert", scene.path("made/model"), "--grouping", grouping, "-o",
                       scene.path("converted"), "-q"})
              .exit_status == 0);
  CHECK(scene.accuracy("converted") == point.at("accuracy").get<double>());

  const apps::ProcessResult trained = run_regroup(
      {"uptrain", scene.path("made/model"), "--grouping", grouping, "--data",
       scene.path("train.jsonl"), "--validation", scene.path("test.jsonl"), "-o",
       scene.path("trained"), "--tokens", "4k", "--batch-tokens", "200", "--loss", "both", "-q"});
  INFO(trained.error);
  REQUIRE(trained.exit_status == 0);
  CHECK(scene.accuracy("trained/model") > 0.9);
}

TEST_CASE("a classifier of texts is trained with mixtures of keys") {
  const json mixture = {{"kind", "mgk"}, {"components", 2}, {"shifted", true}};
  const TextScene scene(json{{"attention", mixture}});
  const apps::ProcessResult made = scene.train("made");
  INFO(made.error);
  REQUIRE(made.exit_status == 0);
  CHECK(scene.accuracy("made/model") > 0.9);
}

TEST_CASE("texts without a class that the model knows are refused before anything is trained") {
  const TextScene scene;
  scene.write("bad.jsonl", "{\"text\": \"a\", \"label\": \"bird\"}\n");
  const apps::ProcessResult label = scene.train("made", {"--data", scene.path("bad.jsonl")});
  CHECK(label.exit_status == 2);
  CHECK_THAT(label.error, contains("bird"));
  CHECK_FALSE(std::filesystem::exists(scene.path("made")));
}
