#include "models/files/json_file.hpp"
#include "models/text/id_files.hpp"
#include "tests/apps/program.hpp"
#include "tests/fixtures/tiny_tokenizer.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/shared_data.hpp"
#include "tests/support/temporary_directory.hpp"

using namespace regroup;
using namespace regroup::tests;
using nlohmann::json;

namespace {

using Ids = std::vector<std::int32_t>;

/// A directory with a tokenizer and nothing else.
class Scene {
 public:
  Scene() { scratch_.write("model/tokenizer.json", tiny_word_piece().dump()); }

  std::string path(const std::string& name) const { return (scratch_.path() / name).string(); }
  std::string write(const std::string& name, const std::string& text) const {
    return scratch_.write(name, text).string();
  }
  apps::ProcessResult tokenize(std::vector<std::string> more) const {
    more.insert(more.begin(), {"tokenize", path("model")});
    return run_regroup(more);
  }
  Ids ids_in(const std::string& name) const {
    const std::string bytes = read_file(scratch_.path() / name);
    return models::read_npy_ids(std::as_bytes(std::span(bytes)), name);
  }

 private:
  TemporaryDirectory scratch_;
};

}  // namespace

TEST_CASE("tokenize prints ids or writes them as a NumPy file") {
  const Scene scene;
  CHECK(scene.tokenize({"--text", "Unaffable, a"}).output == "1 3 4 5 7 8 2\n");
  CHECK(scene.tokenize({"--text", "Unaffable, a", "--no-special"}).output == "3 4 5 7 8\n");
  const std::string text = scene.write("a.txt", "a,\r\na");
  const auto written = scene.tokenize({"--data", text, "-o", scene.path("ids.npy")});
  CHECK(written.exit_status == 0);
  CHECK_THAT(written.output, contains("ids.npy: 5 tokens"));
  CHECK(scene.ids_in("ids.npy") == Ids{1, 8, 7, 8, 2});
}

TEST_CASE("tokenize reads standard input") {
  const Scene scene;
  const std::vector<std::string> arguments = {program_path(), "tokenize", scene.path("model"),
                                              "--data", "-"};
  CHECK(apps::run_program(arguments, "a a\n").output == "1 8 8 2\n");
  CHECK(apps::run_program(arguments, "\xff").exit_status == 2);
}

TEST_CASE("tokenize answers in JSON") {
  const Scene scene;
  const json printed = json::parse(scene.tokenize({"--text", "a", "--json"}).output);
  CHECK(printed == json{{"tokens", 3}, {"vocabulary", 12}, {"ids", {1, 8, 2}}});
  const json written =
      json::parse(scene.tokenize({"--text", "a", "--json", "-o", scene.path("ids.npy")}).output);
  CHECK(written == json{{"tokens", 3}, {"vocabulary", 12}, {"output", scene.path("ids.npy")}});
}

TEST_CASE("a text without tokens gives an empty array") {
  const Scene scene;
  CHECK(scene.tokenize({"--text", "", "--no-special", "-o", scene.path("ids.npy")}).exit_status ==
        0);
  CHECK(scene.ids_in("ids.npy").empty());
}

TEST_CASE("tokenize gives the ids of the reference") {
  REGROUP_NEEDS_SHARED_DATA("goldens/tokenizers");
  const Scene scene;
  for (const char* kind : {"bert", "gpt-neox", "gpt2", "llama3", "qwen2", "sentencepiece-bpe",
                           "sentencepiece-unigram"}) {
    const std::string directory = shared_data(std::string("goldens/tokenizers/") + kind).string();
    const json cases = models::read_json_file(directory + "/cases.json");
    for (std::size_t i = 0; i < cases.size(); i += 6) {
      const std::string data = scene.write("text.txt", cases[i].at("text"));
      const bool special = cases[i].contains("ids");
      std::vector<std::string> arguments = {"tokenize", directory, "--data", data, "--json"};
      if (!special) arguments.push_back("--no-special");
      CAPTURE(kind, i);
      CHECK(json::parse(run_regroup(arguments).output).at("ids") ==
            cases[i].at(special ? "ids" : "ids_no_special"));
    }
  }
}

TEST_CASE("tokenize joins the documents of JSON lines as --join says") {
  const Scene scene;
  const std::string data = scene.write("a.jsonl", "{\"text\": \"a\"}\n\n{\"page\": \"naive a\"}\n");
  const auto ids = [&](std::vector<std::string> more) {
    more.insert(more.begin(), {"--data", data});
    const apps::ProcessResult found = scene.tokenize(more);
    CHECK(found.error.empty());
    return found.output;
  };
  // Between documents stands what the tokenizer puts after a text, where there is no config.json.
  CHECK(ids({}) == "1 8 2 10 8 2\n");
  CHECK(ids({"--join", "eos", "--no-special"}) == "8 2 10 8\n");
  CHECK(ids({"--join", "newline"}) == "1 8 10 8 2\n");
  CHECK(ids({"--join", "blank-line"}) == "1 8 10 8 2\n");
  CHECK(ids({"--join", "none"}) == "1 0 8 2\n");  // "anaive" is no word
  scene.write("model/config.json", R"({"eos_token_id": 5})");
  CHECK(ids({}) == "1 8 5 10 8 2\n");
  const apps::ProcessResult refused = scene.tokenize({"--data", data, "--join", "tab"});
  CHECK(refused.exit_status == 2);
  CHECK_THAT(refused.error, contains("--join") && contains("blank-line"));
}

TEST_CASE("documents as people have them are tokenized as their texts joined by hand") {
  REGROUP_NEEDS_SHARED_DATA("troubles/files/documents.jsonl");
  const Scene scene;
  const std::string model = shared_data("checkpoints/books-llama").string();
  const auto ids = [&](const std::string& file, const std::vector<std::string>& more) {
    std::vector<std::string> arguments = {"tokenize", model, "--data", file, "--json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const apps::ProcessResult found = run_regroup(arguments);
    INFO(found.error);
    REQUIRE(found.exit_status == 0);
    return json::parse(found.output).at("ids").get<Ids>();
  };
  const std::string first = "The first document.";
  const std::string second = "A second one,\nof two lines.";
  const std::string documents = shared_data("troubles/files/documents.jsonl").string();
  for (const auto& [join, between] :
       {std::pair("newline", "\n"), std::pair("blank-line", "\n\n"), std::pair("none", "")}) {
    const std::string text = scene.write("joined.txt", first + between + second);
    CHECK(ids(documents, {"--join", join}) == ids(text, {}));
  }
  Ids expected = ids(scene.write("first.txt", first), {"--no-special"});
  expected.push_back(models::read_json_file(model + "/config.json").at("eos_token_id"));
  for (const std::int32_t id : ids(scene.write("second.txt", second), {"--no-special"})) {
    expected.push_back(id);
  }
  CHECK(expected.size() > 10);
  CHECK(ids(documents, {"--no-special"}) == expected);
}
