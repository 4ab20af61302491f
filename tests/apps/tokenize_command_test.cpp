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
