// Documents of JSON lines (.jsonl) as text to measure and to search on, with the built program.

#include <nlohmann/json.hpp>

#include "tests/apps/program.hpp"
#include "tests/fixtures/language_model/text_model.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temporary_directory.hpp"

using namespace regroup;
using namespace regroup::tests;
using nlohmann::json;

namespace {

/// A tiny model with a tokenizer, documents, and the same as a text with line breaks between them.
class Scene {
 public:
  Scene() {
    write_text_model(scratch_.path() / "model");
    std::string lines;
    std::string text;
    for (int i = 0; i < 12; ++i) {
      const std::string document = "the thing in ring " + std::to_string(i * i * 7);
      lines += json{{"text", document}}.dump() + "\n";
      text += (i > 0 ? "\n" : "") + document;
    }
    scratch_.write("documents.jsonl", lines);
    scratch_.write("text.txt", text);
  }

  std::string path(const std::string& name) const { return (scratch_.path() / name).string(); }
  /// The result of `eval` on a file.
  json measured(const std::string& data, const std::vector<std::string>& more = {}) const {
    std::vector<std::string> arguments = {"eval",     path("model"), "--data",
                                          path(data), "--json",      "-q"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const apps::ProcessResult ran = run_regroup(arguments);
    INFO(ran.error);
    REQUIRE(ran.exit_status == 0);
    return json::parse(ran.output);
  }
  apps::ProcessResult search(const std::vector<std::string>& more) const {
    std::vector<std::string> arguments = {"search",
                                          path("model"),
                                          "-o",
                                          path("run"),
                                          "--method",
                                          "qcqa",
                                          "--fitness",
                                          "wse",
                                          "--merge",
                                          "mean",
                                          "--population",
                                          "10",
                                          "--generations",
                                          "2",
                                          "--eval",
                                          path("documents.jsonl"),
                                          "-q"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_regroup(arguments);
  }

 private:
  TemporaryDirectory scratch_;
};

}  // namespace

TEST_CASE("eval joins documents as --join says, and says so in its result") {
  const Scene scene;
  const json joined = scene.measured("documents.jsonl", {"--join", "newline"});
  const json& settings = joined["configs"]["perplexity"];
  CHECK(settings["documents"] == 12);
  CHECK(settings["join"] == "newline");
  // What is scored is the text that the documents make.
  const json plain = scene.measured("text.txt");
  CHECK(joined["results"] == plain["results"]);
  CHECK_FALSE(plain["configs"]["perplexity"].contains("join"));
  CHECK_FALSE(plain["configs"]["perplexity"].contains("documents"));
  const json usual = scene.measured("documents.jsonl");
  CHECK(usual["configs"]["perplexity"]["join"] == "eos");
  CHECK(usual["results"] != joined["results"]);
}

TEST_CASE("a search's record says how documents were joined, and no other run goes on with it") {
  const Scene scene;
  const apps::ProcessResult first = scene.search({"--join", "newline"});
  INFO(first.error);
  REQUIRE(first.exit_status == 0);
  const json record = json::parse(read_file(scene.path("run/run.json")));
  const json& eval = record.at("data").at("eval");
  CHECK(eval.at("documents") == 12);
  CHECK(eval.at("join") == "newline");
  CHECK(eval.at("file") == "documents.jsonl");
  CHECK(scene.search({"--join", "newline", "--resume"}).exit_status == 0);
  const apps::ProcessResult other = scene.search({"--join", "none", "--resume"});
  CHECK(other.exit_status == 2);
  CHECK_THAT(other.error, contains("run, join") && contains("newline") && contains("none"));
}

TEST_CASE("a calibration file of documents holds the windows of the text that they make") {
  const Scene scene;
  const auto calibrate = [&](const std::string& data, const std::string& join) {
    const std::string file = scene.path(data + "." + join + ".safetensors");
    const apps::ProcessResult ran = run_regroup(
        {"calibrate", scene.path("model"), "--data", scene.path(data), "--join", join, "-o", file});
    INFO(ran.error);
    REQUIRE(ran.exit_status == 0);
    return read_file(file);
  };
  const std::string joined = calibrate("documents.jsonl", "newline");
  CHECK(joined.size() == calibrate("text.txt", "newline").size());
  CHECK(joined != calibrate("documents.jsonl", "none"));
}
