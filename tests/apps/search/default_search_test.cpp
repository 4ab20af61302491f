// What `search` does when nothing is asked for: calibration, Fisher prices, optimal merges, refits.

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "models/files/sha256.hpp"
#include "tests/apps/default_scene.hpp"
#include "tests/apps/program.hpp"
#include "tests/apps/promised_bytes.hpp"
#include "tests/support/catch.hpp"

using namespace regroup;
using namespace regroup::tests;
using nlohmann::json;

TEST_CASE("a search without options takes the best known combination and shows the paper's") {
  const DefaultScene scene;
  REQUIRE(run_regroup(scene.plain("run")).exit_status == 0);
  const json front = scene.front("run");
  CHECK(front["fitness"] == "fisher");
  CHECK(front["price"] == "fisher");
  int own = 0, paper = 0;
  for (const json& point : front["points"]) {
    const json file =
        json::parse(read_file(scene.path("run/" + point["grouping"].get<std::string>())));
    if (point["series"] == "search") {
      ++own;
      CHECK(point["method"] == "exact");
      CHECK(point["merge"] == "optimal");
      CHECK(point["refit"] == "both");
      CHECK(point["reconstruct"] == 0);
      CHECK(file["refit"] == "both");
      CHECK_FALSE(file.contains("reconstruct"));
      CHECK(file["calibration"]["file"] == "../calibration.safetensors");
    }
    if (point["series"] == "paper") {
      ++paper;
      CHECK(point["method"] == "qcqa-ac");
      CHECK(point["merge"] == "mean");
      CHECK(point["refit"] == "none");
      CHECK_FALSE(file.contains("calibration"));
    }
  }
  CHECK(own >= 4);
  CHECK(paper >= 2);
}

TEST_CASE("a default search writes the same bytes for any number of threads, and when resumed") {
  const DefaultScene scene;
  REQUIRE(run_regroup(scene.plain("one", {"-j", "1"})).exit_status == 0);
  REQUIRE(run_regroup(scene.plain("two", {"-j", "2"})).exit_status == 0);
  CHECK(promised_bytes(scene.path("one")) == promised_bytes(scene.path("two")));
  CHECK(read_file(scene.path("one/calibration.safetensors")) ==
        read_file(scene.path("two/calibration.safetensors")));
  REQUIRE(run_regroup(scene.plain("two", {"--resume"})).exit_status == 0);
  CHECK(promised_bytes(scene.path("one")) == promised_bytes(scene.path("two")));
}

TEST_CASE("measured allocation chooses by the divergence on the selection data") {
  const DefaultScene scene;
  for (const char* method : {"exact", "neighbour", "qcqa"}) {
    CAPTURE(method);
    REQUIRE(
        run_regroup(scene.plain(method, {"--method", method, "--allocation", "measured",
                                         "--selection", scene.path("selection.bin"), "--kv",
                                         "0.75,0.5", "--population", "10", "--generations", "5"}))
            .exit_status == 0);
    const json front = scene.front(method);
    CHECK(front["price"] == "selection_kl");
    CHECK_FALSE(front.contains("certificate"));
    int own = 0;
    for (const json& point : front["points"]) {
      if (point["series"] != "search") continue;
      ++own;
      CHECK(point["selection_kl"].get<double>() > 0);
      const apps::ProcessResult result =
          run_regroup({"eval", scene.path("tiny"), "--task", "divergence", "--grouping",
                       scene.path(method + std::string("/") + point["grouping"].get<std::string>()),
                       "--data", scene.path("selection.bin"), "--json", "-q"});
      REQUIRE(result.exit_status == 0);
      const json values = json::parse(result.output)["results"]["divergence"];
      CHECK_THAT(values["kl,none"].get<double>(),
                 Catch::Matchers::WithinRel(point["selection_kl"].get<double>(), 1e-4));
    }
    CHECK(own == 2);
    CHECK(run_regroup({"convert", scene.path("tiny"), "--run", scene.path(method), "--kv", "0.5",
                       "-o", scene.path(method + std::string("-converted")), "--layout", "expand"})
              .exit_status == 0);
  }
}

TEST_CASE("calibrate writes statistics once, and searches refer to them") {
  const DefaultScene scene;
  const std::string file = scene.path("statistics.safetensors");
  const std::vector<std::string> calibrate = {
      "calibrate", scene.path("tiny"), "--data", scene.path("calibration.bin"), "-o",
      file,        "--json",           "-q"};
  const apps::ProcessResult first = run_regroup(calibrate);
  REQUIRE(first.exit_status == 0);
  CHECK(json::parse(first.output)["reused"] == false);
  CHECK(json::parse(first.output)["tokens"] == 24 * 16);
  const std::string bytes = read_file(file);
  const apps::ProcessResult second = run_regroup(calibrate);
  REQUIRE(second.exit_status == 0);
  CHECK(json::parse(second.output)["reused"] == true);
  CHECK(read_file(file) == bytes);
  REQUIRE(run_regroup({"search", scene.path("tiny"), "-o", scene.path("run"), "--eval",
                       scene.path("eval.bin"), "--calibration", file, "--kv", "0.5", "-q"})
              .exit_status == 0);
  CHECK_FALSE(std::filesystem::exists(scene.path("run/calibration.safetensors")));
  CHECK(read_file(file) == bytes);
  const json record = json::parse(read_file(scene.path("run/run.json")));
  CHECK(record["calibration_file"]["file"] == "../statistics.safetensors");
  CHECK(record["calibration_file"]["sha256"] == record["input_sha256"]["calibration"]);
  // Statistics of other weights are refused.
  TinyLlama other;
  other.seed = 2;
  other.write(scene.path("other"));
  const apps::ProcessResult refused =
      run_regroup({"search", scene.path("other"), "-o", scene.path("no"), "--calibration", file});
  CHECK(refused.exit_status == 2);
  CHECK_THAT(refused.error, contains("weights_sha256"));
}

TEST_CASE("the groupings of a run name the statistics that it was given, and are used with them") {
  const DefaultScene scene;
  const std::string file = scene.path("statistics.safetensors");
  REQUIRE(run_regroup({"calibrate", scene.path("tiny"), "--data", scene.path("calibration.bin"),
                       "-o", file, "-q"})
              .exit_status == 0);
  REQUIRE(run_regroup({"search", scene.path("tiny"), "-o", scene.path("run"), "--eval",
                       scene.path("eval.bin"), "--calibration", file, "--kv", "0.5",
                       "--keep-weights=false", "-q"})
              .exit_status == 0);
  const json front = scene.front("run");
  const std::string name = front["points"][0]["grouping"].get<std::string>();
  REQUIRE(front["points"][0]["series"] == "search");
  const json reference = json::parse(read_file(scene.path("run/" + name)))["calibration"];
  CHECK(reference["file"] == "../../statistics.safetensors");
  const auto eval = [&](const std::string& run, const std::vector<std::string>& more = {}) {
    std::vector<std::string> arguments = {
        "eval",   scene.path("tiny"),     "--grouping", run + "/" + name,
        "--data", scene.path("eval.bin"), "--json",     "-q"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_regroup(arguments);
  };
  const apps::ProcessResult found = eval(scene.path("run"));
  REQUIRE(found.exit_status == 0);
  CHECK(json::parse(found.output)["results"]["perplexity"]["loss,none"] ==
        front["points"][0]["loss"]);
  CHECK(run_regroup({"convert", scene.path("tiny"), "--run", scene.path("run"), "--kv", "0.5", "-o",
                     scene.path("converted"), "--layout", "expand"})
            .exit_status == 0);
  // Moved with the file beside it, it goes on; alone it is refused, but for --calibration.
  std::filesystem::create_directory(scene.path("elsewhere"));
  std::filesystem::copy(scene.path("run"), scene.path("elsewhere/run"),
                        std::filesystem::copy_options::recursive);
  const apps::ProcessResult refused = eval(scene.path("elsewhere/run"));
  CHECK(refused.exit_status == 2);
  CHECK_THAT(refused.error, contains("statistics.safetensors"));
  CHECK_THAT(refused.error, contains("--calibration"));
  CHECK(eval(scene.path("elsewhere/run"), {"--calibration", file}).exit_status == 0);
  std::filesystem::copy(file, scene.path("elsewhere/statistics.safetensors"));
  CHECK(eval(scene.path("elsewhere/run")).exit_status == 0);
  // Statistics of other text under the same name are not the ones that are meant.
  REQUIRE(run_regroup({"calibrate", scene.path("tiny"), "--data", scene.path("selection.bin"), "-o",
                       file, "-q"})
              .exit_status == 0);
  const apps::ProcessResult changed = eval(scene.path("run"));
  CHECK(changed.exit_status == 2);
  CHECK_THAT(changed.error, contains("not the one"));
  CHECK_THAT(changed.error, contains("--calibration"));
}

TEST_CASE("a calibration of the run's own is written once and its hash is that of the file") {
  const DefaultScene scene;
  REQUIRE(run_regroup(scene.plain("run", {"--kv", "0.5"})).exit_status == 0);
  const std::string file = scene.path("run/calibration.safetensors");
  const json record = json::parse(read_file(scene.path("run/run.json")));
  CHECK(record["calibration_file"]["file"] == "calibration.safetensors");
  CHECK(record["calibration_file"]["sha256"] == models::sha256_of_file(file));
  // A resumed run takes the file as it is.
  const auto whole = promised_bytes(scene.path("run"));
  const auto written = std::filesystem::last_write_time(file);
  std::filesystem::remove(scene.path("run/run.json"));
  REQUIRE(run_regroup(scene.plain("run", {"--kv", "0.5", "--resume"})).exit_status == 0);
  CHECK(promised_bytes(scene.path("run")) == whole);
  CHECK(std::filesystem::last_write_time(file) == written);
}

TEST_CASE("a grouping that was fitted on text is refused without it") {
  const DefaultScene scene;
  REQUIRE(run_regroup(scene.plain("run", {"--kv", "0.5"})).exit_status == 0);
  std::string name;
  const json front = scene.front("run");
  for (const json& point : front["points"]) {
    if (point["series"] == "search")
      name = scene.path("run/" + point["grouping"].get<std::string>());
  }
  json file = json::parse(read_file(name));
  const auto eval = [&] {
    return run_regroup({"eval", scene.path("tiny"), "--grouping", scene.path("g.json"), "--data",
                        scene.path("eval.bin"), "-q"});
  };
  file["calibration"]["file"] = scene.path("run/calibration.safetensors");
  std::ofstream(scene.path("g.json")) << file;
  CHECK(eval().exit_status == 0);
  file["calibration"]["sha256"] = std::string(64, '0');
  std::ofstream(scene.path("g.json")) << file;
  CHECK(eval().exit_status == 2);
  CHECK_THAT(eval().error, contains("not the one"));
  file.erase("calibration");
  std::ofstream(scene.path("g.json")) << file;
  CHECK(eval().exit_status == 2);
  CHECK_THAT(eval().error, contains("--calibration FILE"));
}
