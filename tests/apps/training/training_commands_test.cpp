// `regroup uptrain` and `regroup train` with the built program.

#include <csignal>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "search/base/random.hpp"
#include "tests/apps/program.hpp"
#include "tests/apps/search_scene.hpp"
#include "tests/apps/started_program.hpp"
#include "tests/fixtures/tiny_family.hpp"
#include "tests/fixtures/tiny_llama.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temporary_directory.hpp"

using namespace regroup;
using namespace regroup::tests;
using nlohmann::json;
namespace fs = std::filesystem;

namespace {

/// A tiny model with a grouping, ids to train and to measure on.
class TrainingScene {
 public:
  TrainingScene() {
    TinyLlama().write(scratch_.path() / "tiny");
    scratch_.write("data.bin", ids(2000, 7));
    scratch_.write("validation.bin", ids(300, 7));
    scratch_.write("grouping.json", R"({"format": "regroup.grouping", "version": 1, "layers": [
      {"index": 0, "key_groups": [[0, 1], [2, 3]], "value_groups": [[0, 1], [2, 3]]},
      {"index": 1, "key_groups": [[0, 2], [1, 3]], "value_groups": [[0, 2], [1, 3]]}]})");
  }

  std::string path(const std::string& name) const { return (scratch_.path() / name).string(); }
  void write(const std::string& name, const std::string& text) const { scratch_.write(name, text); }

  std::vector<std::string> uptrain(const std::string& out,
                                   const std::vector<std::string>& more = {}) const {
    std::vector<std::string> all = {"uptrain", path("tiny"), "-q"};
    all.insert(all.end(), more.begin(), more.end());
    return with_defaults(std::move(all), {{"--grouping", path("grouping.json")},
                                          {"--data", path("data.bin")},
                                          {"--validation", path("validation.bin")},
                                          {"-o", path(out)},
                                          {"--tokens", "2k"},
                                          {"--batch-tokens", "100"},
                                          {"--lr", "0.01"}});
  }
  json record(const std::string& out) const {
    return json::parse(read_file(path(out + "/train.json")));
  }
  std::string weights(const std::string& out) const {
    return read_file(path(out + "/model/model.safetensors"));
  }

 private:
  static std::string ids(int count, int step) {
    std::string ids;
    for (int i = 0; i < count; ++i) {
      ids += std::string{static_cast<char>((i * step + i / 5) % 20), '\0'};
    }
    return ids;
  }

  TemporaryDirectory scratch_;
};

}  // namespace

TEST_CASE("uptrain writes a model that loses less, its curves, and what it did") {
  const TrainingScene scene;
  const apps::ProcessResult result = run_regroup(scene.uptrain("run"));
  REQUIRE(result.exit_status == 0);
  CHECK_THAT(result.output, contains("before training"));
  const json record = scene.record("run");
  CHECK(record.at("format") == "regroup.train");
  CHECK(record.at("kv_ratio") == 0.5);
  CHECK(record.at("steps") == 21);
  CHECK(record.at("trained").at("kl").get<double>() <
        0.9 * record.at("zero_shot").at("kl").get<double>());
  const std::string csv = read_file(scene.path("run/train.csv"));
  CHECK(count_lines(csv) == 22);
  CHECK(csv.starts_with("step,tokens,rate,loss,"));
  CHECK_THAT(read_file(scene.path("run/report.html")), contains("<svg"));
  // The written model is what was measured.
  const apps::ProcessResult eval = run_regroup(
      {"eval", scene.path("run/model"), "--data", scene.path("validation.bin"), "--json", "-q"});
  REQUIRE(eval.exit_status == 0);
  const json measured = json::parse(eval.output);
  CHECK_THAT(eval.output, contains("loss"));
  const double loss = measured.at("results").begin()->at("loss,none");
  CHECK(loss == Approx(record.at("trained").at("loss").get<double>()).epsilon(1e-6));
  CHECK(run_regroup({"inspect", scene.path("run/model")}).exit_status == 0);
}

TEST_CASE("uptrain takes learned means, deals, noise, other losses and another teacher") {
  const TrainingScene scene;
  for (const std::vector<std::string>& more : std::vector<std::vector<std::string>>{
           {"--weights", "scalar", "--train", "weights"},
           {"--weights", "row", "--start", "random"},
           {"--deal", "kdgqa", "--loss", "both"},
           {"--deal", "dgqa-diff", "--window", "3"},
           {"--noise", "paper"},
           {"--noise", "code", "--noisy-validation"},
           {"--loss", "hidden", "--train", "attention", "--recompute"},
           {"--dtype", "bfloat16", "--schedule", "linear"},
           {"--teacher", scene.path("tiny"), "--loss", "kl"}}) {
    CAPTURE(more);
    const apps::ProcessResult result = run_regroup(scene.uptrain("out", more));
    CHECK(result.exit_status == 0);
    CHECK_THAT(result.error, !contains("regroup:"));
    CHECK(
        run_regroup({"eval", scene.path("out/model"), "--data", scene.path("validation.bin"), "-q"})
            .exit_status == 0);
    fs::remove_all(scene.path("out"));
  }
}

TEST_CASE("training stops when nothing gets better, and keeps the best") {
  const TrainingScene scene;
  REQUIRE(run_regroup(scene.uptrain("out", {"--lr", "5", "--clip", "0", "--patience", "2",
                                            "--validate-every", "1"}))
              .exit_status == 0);
  const json record = scene.record("out");
  CHECK(record.at("steps").get<int>() < 21);
  CHECK(record.at("trained").at("loss").get<double>() <=
        record.at("last").at("loss").get<double>());
}

TEST_CASE("killed at any moment and resumed, a training ends with the same bytes") {
  const TrainingScene scene;
  const std::vector<std::string> often = {"--validate-every", "2", "--resume"};
  fs::create_directories(scene.path("whole/state"));
  FileEvents unbroken({scene.path("whole"), scene.path("whole/state")});
  REQUIRE(run_regroup(scene.uptrain("whole", often)).exit_status == 0);
  const std::size_t events = unbroken.all_so_far();
  REQUIRE(events > 30);
  const std::string whole = scene.weights("whole");
  REQUIRE(run_regroup(scene.uptrain("plain", {"--validate-every", "2", "-j", "1"})).exit_status ==
          0);
  CHECK(scene.weights("plain") == whole);
  search::RandomStream random{search::RandomKey(5)};
  int broken_off = 0;
  for (int kill = 0; kill < 8; ++kill) {
    const std::string name = "killed" + std::to_string(kill);
    fs::create_directories(scene.path(name + "/state"));
    {
      FileEvents files({scene.path(name), scene.path(name + "/state")});
      StartedProgram program(scene.uptrain(name, often));
      if (files.happen(1 + random.below(events), program)) program.send(SIGKILL);
      broken_off += program.end().was_ended ? 1 : 0;
    }
    REQUIRE(run_regroup(scene.uptrain(name, often)).exit_status == 0);
    CHECK(scene.weights(name) == whole);
    CHECK(scene.record(name).at("trained") == scene.record("whole").at("trained"));
  }
  CHECK(broken_off > 3);
  // A finished one is left as it is; another one is refused.
  CHECK(run_regroup(scene.uptrain("whole", often)).exit_status == 0);
  const apps::ProcessResult other =
      run_regroup(scene.uptrain("whole", {"--validate-every", "2", "--resume", "--decay", "0.3"}));
  CHECK(other.exit_status == 2);
  CHECK_THAT(other.error, contains("decay"));
}

TEST_CASE("what cannot be trained is refused before anything is written") {
  const TrainingScene scene;
  TinyLlama{.seed = 9}.write(scene.path("other"));
  scene.write("short.bin", std::string("\1\0\2\0", 4));
  const auto refuses = [&](const std::vector<std::string>& more, const std::string& part) {
    CAPTURE(more);
    const apps::ProcessResult result = run_regroup(scene.uptrain("out", more));
    CHECK(result.exit_status == 2);
    CHECK_THAT(result.error, contains(part));
    CHECK(count_lines(result.error) <= 4);
    CHECK_FALSE(fs::exists(scene.path("out")));
  };
  refuses({"--data", scene.path("short.bin")}, "shorter than one window");
  refuses({"--data", scene.path("absent.bin")}, "absent.bin");
  refuses({"--lr", "0"}, "--lr");
  refuses({"--lr", "nan"}, "--lr");
  refuses({"--tokens", "none"}, "--tokens");
  refuses({"--batch-tokens", "0"}, "--batch-tokens");
  refuses({"--train", "weights"}, "--weights");
  refuses({"--loss", "l2"}, "kl, ce, both, hidden");
  refuses({"--context", "4000"}, "context");
  refuses({"-o", "/proc/nowhere"}, "/proc");
  refuses({"--teacher", scene.path("tiny"), "--loss", "ce"}, "--teacher");
  for (const std::vector<std::string>& more : std::vector<std::vector<std::string>>{
           {"--uptrain", "1k", "--measure", "0"}, {"--uptrain-data", scene.path("data.bin")}}) {
    std::vector<std::string> search = {"search", scene.path("tiny"), "-o", scene.path("out"), "-q"};
    search.insert(search.end(), more.begin(), more.end());
    const apps::ProcessResult refused = run_regroup(search);
    CHECK(refused.exit_status == 2);
    CHECK_THAT(refused.error, contains(more[0]));
  }
  scene.write("foreign.json", R"({"format": "regroup.grouping", "version": 1, "layers": [
    {"index": 0, "key_groups": [[0, 1, 2]], "value_groups": [[0, 1, 2]]}]})");
  refuses({"--grouping", scene.path("foreign.json")}, "foreign.json");
  const apps::ProcessResult bare =
      run_regroup({"uptrain", scene.path("tiny"), "--data", scene.path("data.bin"), "-o",
                   scene.path("out"), "--deal", "kdgqa"});
  CHECK(bare.exit_status == 2);
  CHECK_THAT(bare.error, contains("--grouping"));
}

TEST_CASE("train makes a model of a config.json, of any kind of attention") {
  const TrainingScene scene;
  json config = tiny_config("GPT2LMHeadModel");
  for (const char* attention :
       {"", R"({"kind": "mgk"})",
        R"({"kind": "mgk", "shifted": true, "e_step": "soft", "position": "key"})",
        R"({"kind": "mgk", "components": 3, "e_step": "hard"})", R"({"kind": "mlk"})",
        R"({"kind": "linear"})"}) {
    CAPTURE(attention);
    config.erase("attention");
    if (*attention != 0) config["attention"] = json::parse(attention);
    scene.write("config.json", config.dump());
    const std::vector<std::string> arguments = {"train",
                                                scene.path("config.json"),
                                                "--data",
                                                scene.path("data.bin"),
                                                "--validation",
                                                scene.path("validation.bin"),
                                                "-o",
                                                scene.path("out"),
                                                "--tokens",
                                                "4k",
                                                "--batch-tokens",
                                                "100",
                                                "--lr",
                                                "0.02",
                                                "-q"};
    REQUIRE(run_regroup(arguments).exit_status == 0);
    const json record = scene.record("out");
    CHECK(record.at("trained").at("loss").get<double>() <
          record.at("zero_shot").at("loss").get<double>() - 0.2);
    const apps::ProcessResult eval = run_regroup(
        {"eval", scene.path("out/model"), "--data", scene.path("validation.bin"), "--json", "-q"});
    REQUIRE(eval.exit_status == 0);
    const double loss = json::parse(eval.output).at("results").begin()->at("loss,none");
    CHECK(loss == Approx(record.at("trained").at("loss").get<double>()).epsilon(1e-6));
    if (*attention != 0) {
      const apps::ProcessResult search =
          run_regroup({"search", scene.path("out/model"), "-o", scene.path("no"), "-q"});
      CHECK(search.exit_status == 2);
      CHECK_THAT(search.error, contains("mixtures of keys"));
    }
    fs::remove_all(scene.path("out"));
  }
}

TEST_CASE("train refuses configs that it cannot make a model of") {
  const TrainingScene scene;
  const auto refuses = [&](const json& config, const std::string& part) {
    scene.write("config.json", config.dump());
    const apps::ProcessResult result =
        run_regroup({"train", scene.path("config.json"), "--data", scene.path("data.bin"), "-o",
                     scene.path("out"), "-q"});
    CHECK(result.exit_status == 2);
    CHECK_THAT(result.error, contains(part));
    CHECK_FALSE(fs::exists(scene.path("out")));
  };
  json config = tiny_config("GPT2LMHeadModel");
  config["attention"] = {{"kind", "softmax"}};
  refuses(config, "mgk, mlk, linear");
  config["attention"] = {{"kind", "mgk"}, {"size", 3}};
  refuses(config, "size");
  config["attention"] = {{"kind", "mlk"}, {"e_step", "soft"}};
  refuses(config, "linear");
  json llama = TinyLlama().config();
  llama["attention"] = {{"kind", "mgk"}};
  refuses(llama, "rotary");
}

TEST_CASE("a search trains the points that it measured, and says whether their order stays") {
  const TrainingScene scene;
  const std::vector<std::string> search = with_paper_recipe(
      {"search", scene.path("tiny"), "-o", scene.path("run"), "--population", "10", "--generations",
       "3", "--measure", "3", "--cache-dtype", "none", "--eval", scene.path("validation.bin"),
       "--uptrain", "1k", "--uptrain-data", scene.path("data.bin"), "-q"});
  const apps::ProcessResult result = run_regroup(search);
  REQUIRE(result.exit_status == 0);
  CHECK_THAT(result.output, contains("After 1000 tokens of training") && contains("Spearman"));
  const json front = json::parse(read_file(scene.path("run/front.json")));
  CHECK(front.at("uptrain").at("tokens") == 1000);
  int better = 0;
  for (const json& point : front.at("points")) {
    CAPTURE(point);
    const double change = point.at("uptrained_loss").get<double>() - point.at("loss").get<double>();
    CHECK(point.at("uptrained_delta_loss").get<double>() ==
          Approx(point.at("delta_loss").get<double>() + change).margin(1e-9));
    better += change < 0 ? 1 : 0;
  }
  CHECK(better > 0);
  CHECK_THAT(read_file(scene.path("run/front.csv")), contains("uptrained_loss"));
  CHECK_THAT(read_file(scene.path("run/report.html")), contains("\"uptrained\":"));
  // What was measured is recalled by a run that goes on.
  fs::remove(scene.path("run/run.json"));
  std::vector<std::string> again = search;
  again.emplace_back("--resume");
  REQUIRE(run_regroup(again).exit_status == 0);
  CHECK(json::parse(read_file(scene.path("run/front.json"))) == front);
}
