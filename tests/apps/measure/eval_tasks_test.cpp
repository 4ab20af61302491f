// Tasks of `regroup eval` on documents, with the built program.

#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/apps/program.hpp"
#include "tests/fixtures/language_model/text_model.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/shared_data.hpp"
#include "tests/support/temporary_directory.hpp"

using namespace regroup;
using namespace regroup::tests;
using nlohmann::json;

namespace {

/// A tiny model with a tokenizer, and documents for every task.
class Scene {
 public:
  Scene() {
    write_text_model(scratch_.path() / "model");
    std::string words;
    std::string choices;
    std::string texts;
    for (int i = 0; i < 40; ++i) {
      const std::string text = "text " + std::string(1 + i % 9, static_cast<char>('a' + i % 26));
      words += json{{"context", text}, {"continuation", "w"}}.dump() + "\n";
      choices += json{{"query", text}, {"choices", {"ab", "c"}}, {"gold", i % 2}}.dump() + "\n";
      texts += json{{"text", text + text}}.dump() + "\n";
    }
    scratch_.write("last-word.jsonl", words);
    scratch_.write("multiple-choice.jsonl", choices);
    scratch_.write("rolling-perplexity.jsonl", texts);
  }

  std::string path(const std::string& name) const { return (scratch_.path() / name).string(); }
  apps::ProcessResult run(const std::string& task, std::vector<std::string> more = {}) const {
    more.insert(more.begin(), {"eval", path("model"), "--task", task, "--data",
                               path(task + ".jsonl"), "-o", path("result.json")});
    return run_regroup(more);
  }
  json result(const std::string& task, const std::vector<std::string>& more = {}) const {
    const apps::ProcessResult ran = run(task, more);
    INFO(ran.error);
    REQUIRE(ran.exit_status == 0);
    return json::parse(read_file(path("result.json")));
  }

 private:
  TemporaryDirectory scratch_;
};

/// The lines of --samples.
std::vector<json> samples_in(const std::string& file) {
  std::ifstream lines(file);
  std::vector<json> samples;
  for (std::string line; std::getline(lines, line);) samples.push_back(json::parse(line));
  return samples;
}

std::vector<std::string> keys(const json& object) {
  std::vector<std::string> names;
  for (const auto& [name, value] : object.items()) names.push_back(name);
  return names;
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("samples are what the figures are means of") {
  const Scene scene;
  for (const std::string task : {"last-word", "multiple-choice"}) {
    const json found = scene.result(task, {"--samples", scene.path("samples.jsonl")});
    const std::vector<json> samples = samples_in(scene.path("samples.jsonl"));
    REQUIRE(samples.size() == 40);
    double sum = 0;
    for (std::size_t i = 0; i < samples.size(); ++i) {
      CHECK(samples[i].at("doc_id") == i);
      sum += samples[i].at("acc").get<double>();
    }
    CHECK(found.at("results").at(task).at("acc,none").get<double>() == Approx(sum / 40));
  }
  const apps::ProcessResult none =
      scene.run("rolling-perplexity", {"--samples", scene.path("none.jsonl")});
  CHECK(none.exit_status == 2);
  CHECK_THAT(none.error, contains("--samples"));
}

TEST_CASE("results of tasks on documents follow lm-evaluation-harness") {
  const Scene scene;
  const auto values = [&](const std::string& task) {
    const json result = scene.result(task);
    CHECK(result["configs"][task]["context"] == 16);
    CHECK(result["configs"][task]["data"] == scene.path(task + ".jsonl"));
    CHECK(result["configs"][task]["data_sha256"].get<std::string>().size() == 64);
    CHECK_FALSE(result["configs"][task].contains("limit"));
    CHECK(result["n-samples"][task] == json{{"original", 40}, {"effective", 40}});
    CHECK(result["config"]["dtype"] == "float32");
    CHECK(keys(result["results"]) == Names{task});
    return keys(result["results"][task]);
  };
  CHECK(values("last-word") ==
        Names{"acc,none", "acc_stderr,none", "perplexity,none", "perplexity_stderr,none"});
  CHECK(values("multiple-choice") ==
        Names{"acc,none", "acc_norm,none", "acc_norm_stderr,none", "acc_stderr,none"});
  CHECK(values("rolling-perplexity") ==
        Names{"bits_per_byte,none", "byte_perplexity,none", "word_perplexity,none"});
}

TEST_CASE("results of tasks on documents do not depend on the number of threads") {
  const Scene scene;
  for (const char* task : {"last-word", "multiple-choice", "rolling-perplexity"}) {
    CAPTURE(task);
    const json one = scene.result(task, {"-j", "1"});
    CHECK(scene.result(task, {"-j", "3"})["results"] == one["results"]);
  }
}

TEST_CASE("tasks on documents obey context and limit and say what did not fit") {
  const Scene scene;
  const json all = scene.result("last-word");
  const json some = scene.result("last-word", {"--limit", "7", "--context", "4"});
  CHECK(some["configs"]["last-word"]["context"] == 4);
  CHECK(some["configs"]["last-word"]["limit"] == 7);
  CHECK(some["n-samples"]["last-word"] == json{{"original", 40}, {"effective", 7}});
  CHECK(some["results"] != all["results"]);
  const apps::ProcessResult ran = scene.run("last-word", {"--limit", "7", "--context", "4"});
  CHECK_THAT(ran.error, contains("7 of 7 inputs do not fit"));
  CHECK_THAT(ran.output, contains("(7 of 40 documents)"));
  CHECK(count_lines(ran.output) == 1);
  CHECK(scene.run("last-word", {"-q", "--context", "4"}).error.empty());
}

TEST_CASE("tasks on documents measure groupings") {
  const Scene scene;
  json layers = json::array();
  for (int layer = 0; layer < 2; ++layer) {
    layers.push_back({{"index", layer}, {"key_groups", {{0, 1, 2, 3}}}});
  }
  std::ofstream(scene.path("grouping.json"))
      << json{{"format", "regroup.grouping"}, {"version", 1}, {"layers", layers}}.dump();
  for (const char* task : {"last-word", "rolling-perplexity"}) {
    CAPTURE(task);
    const json source = scene.result(task);
    const json grouped = scene.result(task, {"--grouping", scene.path("grouping.json")});
    CHECK(grouped["config"]["grouping"] == scene.path("grouping.json"));
    CHECK(grouped["results"] != source["results"]);
  }
}

TEST_CASE("real sets are scored as lm-evaluation-harness 0.4.13 scores them") {
  REGROUP_NEEDS_SHARED_DATA("eval");
  const TemporaryDirectory scratch;
  const auto measure = [&](const std::string& task, const std::string& data) {
    const apps::ProcessResult ran =
        run_regroup({"eval", shared_data("checkpoints/books-llama").string(), "--task", task,
                     "--data", data, "--limit", "40", "--json", "-q"});
    INFO(ran.error);
    REQUIRE(ran.exit_status == 0);
    return json::parse(ran.output)["results"][task];
  };
  const auto choose = [&](const std::string& set) {
    return measure("multiple-choice", shared_data("eval/" + set + ".jsonl").string());
  };
  const auto close_to = [](double value) { return Approx(value).epsilon(1e-4); };
  // Its HFLM on the same files, transformers 5.18 and torch 2.13, float32.
  const json piqa = choose("piqa");
  CHECK(piqa["acc,none"] == 0.575);
  CHECK(piqa["acc_norm,none"] == 0.425);
  CHECK(piqa["acc_stderr,none"].get<double>() == close_to(0.07915823166939519));
  const json copa = choose("copa");
  CHECK(copa["acc,none"] == 0.525);
  CHECK(copa["acc_norm,none"] == 0.4);
  const json winogrande = choose("winogrande");
  CHECK(winogrande["acc,none"] == 0.475);
  CHECK(winogrande["acc_norm,none"] == 0.475);

  const json lambada = measure("last-word", shared_data("eval/lambada_openai.jsonl").string());
  CHECK(lambada["acc,none"] == 0);
  CHECK(lambada["perplexity,none"].get<double>() == close_to(4450.90034986554));

  // With add_bos_token off: else it scores the begin-of-sequence token, too.
  const std::string text = read_file(shared_data("text/books-val.txt")).substr(0, 20000);
  const json rolling = measure("rolling-perplexity", scratch.write("slice.txt", text).string());
  CHECK(rolling["word_perplexity,none"].get<double>() == close_to(344.04869669164526));
  CHECK(rolling["byte_perplexity,none"].get<double>() == close_to(2.743645027273124));
  CHECK(rolling["bits_per_byte,none"].get<double>() == close_to(1.4560938377351589));
}
