// Every command that takes a model takes a GGUF file, and makes the same of it as of the directory.

#include <nlohmann/json.hpp>

#include "tests/apps/program.hpp"
#include "tests/fixtures/language_model/text_model.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/near.hpp"
#include "tests/support/temporary_directory.hpp"

using namespace regroup;
using namespace regroup::tests;
using nlohmann::json;

namespace {

constexpr const char* kWhole =
    R"({"format": "regroup.grouping", "version": 1, "merge": "mean",
        "layers": [{"index": 0, "key_groups": [[0], [1], [2], [3]]},
                   {"index": 1, "key_groups": [[0], [1], [2], [3]]}]})";
constexpr const char* kPairs =
    R"({"format": "regroup.grouping", "version": 1, "merge": "mean",
        "layers": [{"index": 0, "key_groups": [[0, 3], [1, 2]]},
                   {"index": 1, "key_groups": [[0, 1], [2, 3]]}]})";

/// A tiny Llama with a tokenizer, as a directory and as a GGUF file.
class Scene {
 public:
  Scene() {
    write_text_model(scratch_.path() / "tiny");
    scratch_.write("whole.json", kWhole);
    scratch_.write("pairs.json", kPairs);
    std::string text;
    for (int i = 0; i < 60; ++i) text += "the thing in the ring, " + std::to_string(i * i) + "\n";
    scratch_.write("text.txt", text);
    scratch_.write("other.txt", "ringing " + text.substr(40));
    run({"convert", path("tiny"), "--grouping", path("whole.json"), "--format", "gguf", "-o",
         path("tiny.gguf")});
  }

  std::string path(const std::string& name) const { return (scratch_.path() / name).string(); }
  void write(const std::string& name, const std::string& text) const { scratch_.write(name, text); }
  bool has(const std::string& name) const {
    return std::filesystem::exists(scratch_.path() / name);
  }
  /// What a command prints, which must do its work.
  std::string run(const std::vector<std::string>& arguments) const {
    const auto result = run_regroup(arguments);
    INFO(result.error);
    REQUIRE(result.exit_status == 0);
    return result.output;
  }
  /// The loss that eval measures on the text, the model's or with a grouping.
  double loss(const std::string& model, const std::vector<std::string>& more = {}) const {
    std::vector<std::string> arguments = {"eval", path(model),         "--data", path("text.txt"),
                                          "-o",   path("result.json"), "-q"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    run(arguments);
    return json::parse(read_file(path("result.json")))["results"]["perplexity"]["loss,none"];
  }
  json json_of(std::vector<std::string> arguments) const {
    arguments.emplace_back("--json");
    return json::parse(run(arguments));
  }

 private:
  TemporaryDirectory scratch_;
};

}  // namespace

TEST_CASE("inspect, tokenize, eval and generate take a GGUF file as they take the directory") {
  const Scene scene;
  const auto both = [&](std::vector<std::string> arguments) {
    std::vector<json> results;
    for (const char* model : {"tiny", "tiny.gguf"}) {
      arguments[1] = scene.path(model);
      results.push_back(scene.json_of(arguments));
    }
    return results;
  };
  const auto shown = both({"inspect", ""});
  CHECK(shown[1]["name"] == "tiny");
  CHECK(shown[1] == shown[0]);
  CHECK(both({"tokenize", "", "--text", "the thing<|end|> 12 é"})[1]["ids"] ==
        both({"tokenize", "", "--text", "the thing<|end|> 12 é"})[0]["ids"]);
  const std::vector<std::string> grouping = {"--grouping", scene.path("pairs.json")};
  CHECK(scene.loss("tiny.gguf") == scene.loss("tiny"));
  CHECK(scene.loss("tiny.gguf", grouping) == scene.loss("tiny", grouping));
  CHECK(scene.loss("tiny.gguf", grouping) != scene.loss("tiny.gguf"));
  const auto written = both({"generate", "", "--prompt", "the ", "--max-tokens", "8"});
  CHECK(written[1]["text"] == written[0]["text"]);
}

TEST_CASE("a GGUF file is calibrated, searched and converted") {
  const Scene scene;
  const std::string model = scene.path("tiny.gguf");
  scene.run({"calibrate", model, "--data", scene.path("text.txt"), "-o",
             scene.path("statistics.safetensors")});
  scene.run({"search", model, "--calibration", scene.path("statistics.safetensors"), "--eval",
             scene.path("other.txt"), "--kv", "0.5", "-o", scene.path("run"), "-q"});
  CHECK(scene.has("run/report.html"));
  scene.run({"convert", model, "--run", scene.path("run"), "--kv", "0.5", "--calibration",
             scene.path("text.txt"), "-o", scene.path("converted"), "-q"});
  for (const char* name : {"config.json", "tokenizer.json", "tokenizer_config.json"}) {
    CHECK(scene.has(std::string("converted/") + name));
  }
  scene.run({"convert", model, "--grouping", scene.path("pairs.json"), "-o", scene.path("pairs")});
  const double grouped = scene.loss("tiny.gguf", {"--grouping", scene.path("pairs.json")});
  CHECK(scene.loss("pairs") == near(grouped, 1e-5));
  // The tokenizer of the file goes on as it stands.
  scene.run({"convert", model, "--grouping", scene.path("pairs.json"), "--format", "gguf", "-o",
             scene.path("pairs.gguf")});
  CHECK(scene.loss("pairs.gguf") == near(grouped, 1e-5));
}

TEST_CASE("conversions of a GGUF file refuse what would replace it or leave its tokenizer out") {
  const Scene scene;
  const auto refusal = [&](const std::vector<std::string>& more) {
    std::vector<std::string> arguments = {"convert", scene.path("tiny.gguf"), "--grouping",
                                          scene.path("pairs.json")};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const auto result = run_regroup(arguments);
    CHECK(result.exit_status == 2);
    return result.error;
  };
  CHECK_THAT(refusal({"--format", "gguf", "-o", scene.path("tiny.gguf"), "--force"}),
             contains("the model's own"));
  CHECK_THAT(refusal({"-o", scene.path("directory"), "--context", "8"}), contains("--context"));
  scene.run({"convert", scene.path("tiny"), "--grouping", scene.path("whole.json"), "--format",
             "gguf", "--no-tokenizer", "--force", "-o", scene.path("tiny.gguf")});
  CHECK_THAT(refusal({"-o", scene.path("directory")}), contains("tokenizer.ggml.model"));
  CHECK_FALSE(scene.has("directory"));
  scene.run({"convert", scene.path("tiny.gguf"), "--grouping", scene.path("pairs.json"),
             "--no-tokenizer", "-o", scene.path("directory")});
  CHECK(scene.has("directory/config.json"));
}

TEST_CASE("generate --chat takes the template of a GGUF file, with the tokens that it names") {
  const Scene scene;
  const auto refused =
      run_regroup({"generate", scene.path("tiny.gguf"), "--prompt", "a", "--chat"});
  CHECK(refused.exit_status == 2);
  CHECK_THAT(refused.error, contains("no chat template"));
  scene.write("tiny/tokenizer_config.json", json{{"eos_token", "<|end|>"},
                                                 {"chat_template",
                                                  "{% for m in messages %}{{ m.role[0] }}"
                                                  "{{ m.content }}{{ eos_token }}{% endfor %}"
                                                  "the"}}
                                                .dump());
  scene.run({"convert", scene.path("tiny"), "--grouping", scene.path("whole.json"), "--format",
             "gguf", "--force", "-o", scene.path("tiny.gguf")});
  const auto written = [&](const std::string& model) {
    return scene.json_of({"generate", scene.path(model), "--prompt", "in", "--chat", "--system",
                          "x", "--max-tokens", "4"});
  };
  const json chat = written("tiny.gguf");
  CHECK(chat.at("prompt_ids") == std::vector<int>{'s', 'x', 262, 'u', 260, 262, 257});
  CHECK(chat.at("config").at("chat") == true);
  const json of_directory = written("tiny");
  CHECK(chat.at("prompt_ids") == of_directory.at("prompt_ids"));
  CHECK(chat.at("text") == of_directory.at("text"));
}

TEST_CASE("documents are joined by the end-of-sequence id that a GGUF file names") {
  const Scene scene;
  scene.write("documents.jsonl", "{\"text\": \"the\"}\n{\"text\": \"in\"}\n");
  for (const char* model : {"tiny", "tiny.gguf"}) {
    CAPTURE(model);
    const json found =
        scene.json_of({"tokenize", scene.path(model), "--data", scene.path("documents.jsonl")});
    CHECK(found.at("ids") == std::vector<int>{257, 2, 260});
  }
}
