// Searches that minimise a measured loss: what they report, resume and refuse to mix.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "search/base/random.hpp"
#include "tests/apps/program.hpp"
#include "tests/apps/promised_bytes.hpp"
#include "tests/fixtures/tiny_llama.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temporary_directory.hpp"

using namespace regroup;
using namespace regroup::tests;
using nlohmann::json;
namespace fs = std::filesystem;

namespace {

/// A tiny model and three texts of 401 ids, 25 windows each.
class Scene {
 public:
  Scene() {
    TinyLlama().write(scratch_.path() / "tiny");
    for (std::uint64_t text = 0; text < 3; ++text) {
      search::RandomStream random(search::RandomKey(71).split(text));
      std::string ids;
      for (int i = 0; i < 401; ++i) ids += std::string{static_cast<char>(random.below(20)), '\0'};
      scratch_.write(kTexts[text], ids);
    }
  }

  std::string path(const std::string& name) const { return (scratch_.path() / name).string(); }
  json document(const std::string& name) const { return json::parse(read_file(path(name))); }
  /// A quick measured search with more options.
  std::vector<std::string> search(const std::string& out,
                                  const std::vector<std::string>& more = {}) const {
    std::vector<std::string> all = {"search",  path("tiny"),     "-o",   path(out),      "--method",
                                    "asymgqa", "--fitness",      "loss", "--iterations", "3",
                                    "--eval",  path("eval.bin"), "-q",   "--merge",      "mean"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  std::vector<std::string> selecting(const std::string& out,
                                     const std::vector<std::string>& more = {}) const {
    std::vector<std::string> all =
        search(out, {"--distance", "weight", "--selection", path("selection.bin")});
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  /// The loss that `regroup eval` finds for a grouping of a run on a text.
  double eval(const std::string& grouping, const std::string& text) const {
    const apps::ProcessResult result = run_regroup(
        {"eval", path("tiny"), "--grouping", path(grouping), "--data", path(text), "--json"});
    REQUIRE(result.exit_status == 0);
    return json::parse(result.output)["results"]["perplexity"]["loss,none"];
  }

 private:
  static constexpr const char* kTexts[] = {"calibration.bin", "selection.bin", "eval.bin"};
  TemporaryDirectory scratch_;
};

std::map<fs::path, fs::file_time_type> measured_files(const fs::path& run) {
  std::map<fs::path, fs::file_time_type> files;
  for (const auto& entry : fs::directory_iterator(run / "state" / "measured")) {
    files[entry.path()] = entry.last_write_time();
  }
  return files;
}

}  // namespace

TEST_CASE("a measured search selects on one text and reports on another, both as eval has them") {
  const Scene scene;
  const apps::ProcessResult result =
      run_regroup(scene.selecting("run", {"--partitions", "independent", "--json"}));
  REQUIRE(result.exit_status == 0);
  const json front = scene.document("run/front.json");
  CHECK(front["fitness"] == "loss");
  std::map<std::string, int> series;
  for (const json& point : front["points"]) {
    const std::string grouping = "run/" + point["grouping"].get<std::string>();
    CHECK(point["selection_loss"].get<double>() == scene.eval(grouping, "selection.bin"));
    CHECK(point["loss"].get<double>() == scene.eval(grouping, "eval.bin"));
    CHECK(point["selection_loss"] != point["loss"]);
    CHECK(point["wse"].get<double>() >= 0);
    CHECK(scene.document(grouping)["objectives"]["selection_loss"] == point["selection_loss"]);
    CHECK(scene.document(grouping)["provenance"]["fitness"] == "loss");
    ++series[point["series"]];
  }
  CHECK(series["search"] == 4);
  CHECK(series["random"] == 9);

  const json record = scene.document("run/run.json");
  CHECK(record["data"]["selection"]["file"] == "selection.bin");
  CHECK(record["data"]["selection"]["windows"] == 25);
  CHECK(record["data"]["selection"]["sampled"] == false);
  CHECK(record["input_sha256"]["selection"] == record["data"]["selection"]["sha256"]);
  CHECK(record["data"]["selection"]["sha256"] != record["data"]["eval"]["sha256"]);
  CHECK(record["data"]["calibration"].is_null());
  // Two sizes with a choice, four units each, a start and three candidates; one look at each point.
  CHECK(record["evaluations"] == 2 * 4 * 4 + 4);

  const json summary = json::parse(result.output);
  CHECK(summary["best"].size() == 3);
  int compared = 0;
  for (const json& best : summary["best"]) {
    const json file = scene.document("run/" + best["grouping"].get<std::string>());
    for (const json& point : front["points"]) {
      if (point["series"] != "search" || point["kv_ratio"] > best["kv_limit"]) continue;
      CHECK(file["objectives"]["selection_loss"] <= point["selection_loss"]);
      ++compared;
    }
  }
  CHECK(compared >= 6);
}

TEST_CASE("a measured search that measures no points orders them by its own loss") {
  const Scene scene;
  REQUIRE(run_regroup(scene.selecting("run", {"--measure", "0", "--kv", "0.5"})).exit_status == 0);
  const json front = scene.document("run/front.json");
  // The search, the paper, neighbours, MQA, and three draws.
  REQUIRE(front["points"].size() == 1 + 1 + 1 + 1 + 3);
  int on_front = 0;
  for (const json& point : front["points"]) {
    CHECK_FALSE(point.contains("loss"));
    const double ratio = point["kv_ratio"];
    const double loss = point["selection_loss"];
    const bool beaten = std::ranges::any_of(front["points"], [&](const json& other) {
      const double r = other["kv_ratio"];
      const double l = other["selection_loss"];
      return r <= ratio && l <= loss && (r < ratio || l < loss);
    });
    CHECK(point["on_front"] == !beaten);
    on_front += beaten ? 0 : 1;
  }
  CHECK(on_front < 7);
}

TEST_CASE("selection data: the calibration text's last quarter, or sampled by their own key") {
  const Scene scene;
  REQUIRE(run_regroup(scene.search("split", {"--calibration", scene.path("calibration.bin")}))
              .exit_status == 0);
  const json split = scene.document("split/run.json")["data"];
  CHECK(split["calibration"]["windows"] == 19);
  CHECK(split["selection"]["windows"] == 6);
  CHECK(split["selection"]["file"] == "calibration.bin");
  CHECK(split["selection"]["part"] == "last quarter");

  std::string text = read_file(scene.path("calibration.bin"));
  text = text.substr(2 * 19 * 16);  // what the first 19 windows of 16 leave
  std::ofstream(scene.path("last.bin"), std::ios::binary) << text;
  const json point = scene.document("split/front.json")["points"][0];
  CHECK(point["selection_loss"].get<double>() ==
        scene.eval("split/" + point["grouping"].get<std::string>(), "last.bin"));

  REQUIRE(run_regroup(scene.search("sampled")).exit_status == 0);
  const json sampled = scene.document("sampled/run.json")["data"];
  CHECK(sampled["selection"]["sampled"] == true);
  CHECK(sampled["selection"]["sha256"] != sampled["calibration"]["sha256"]);
  CHECK(scene.document("sampled/front.json")["points"][0].contains("activation"));
}

TEST_CASE("a measured search gives the same bytes for one thread and many") {
  const Scene scene;
  REQUIRE(run_regroup(scene.selecting("one", {"-j", "1"})).exit_status == 0);
  REQUIRE(run_regroup(scene.selecting("many", {"-j", "3"})).exit_status == 0);
  CHECK(promised_bytes(scene.path("one")) == promised_bytes(scene.path("many")));
}

TEST_CASE("a measured search that was broken off measures only what it had not") {
  const Scene scene;
  REQUIRE(run_regroup(scene.selecting("run")).exit_status == 0);
  const auto whole = promised_bytes(scene.path("run"));
  const auto measured = measured_files(scene.path("run"));
  REQUIRE(measured.size() > 12);
  fs::remove(scene.path("run/run.json"));
  std::size_t removed = 0;
  for (const auto& [file, time] : measured) {
    if (removed < measured.size() / 2 && fs::remove(file)) ++removed;
  }
  const auto left = measured_files(scene.path("run"));
  REQUIRE(run_regroup(scene.selecting("run", {"--resume"})).exit_status == 0);
  CHECK(promised_bytes(scene.path("run")) == whole);
  const auto again = measured_files(scene.path("run"));
  CHECK(again.size() == measured.size());
  for (const auto& [file, time] : left) CHECK(again.at(file) == time);
}

TEST_CASE("a search by accuracy reports the error it minimised, and exhaustive proves asymgqa's") {
  const Scene scene;
  const auto run = [&](const std::string& out, const std::string& method,
                       const std::string& fitness) {
    REQUIRE(run_regroup({"search",
                         scene.path("tiny"),
                         "-o",
                         scene.path(out),
                         "--method",
                         method,
                         "--fitness",
                         fitness,
                         "--iterations",
                         "3",
                         "--distance",
                         "weight",
                         "--eval",
                         scene.path("eval.bin"),
                         "-q",
                         "--merge",
                         "mean",
                         "--selection",
                         scene.path("selection.bin"),
                         "--measure",
                         "4"})
                .exit_status == 0);
    return scene.document(out + "/front.json");
  };
  const json accuracy = run("accuracy", "exhaustive", "accuracy");
  CHECK(accuracy["price"] == "selection_error");
  REQUIRE(accuracy["points"].size() > 4);
  for (const json& point : accuracy["points"]) {
    CHECK(point["selection_error"].get<double>() > 0);
    CHECK(point["selection_error"].get<double>() < 1);
    CHECK_FALSE(point.contains("selection_loss"));
  }
  const json all = run("all", "exhaustive", "loss");
  CHECK(scene.document("all/run.json")["evaluations"] == 225);
  std::map<double, double> best;
  for (const json& point : all["points"]) {
    if (point["series"] == "search") best[point["kv_ratio"]] = point["selection_loss"];
  }
  CHECK(best.size() >= 3);
  for (const json& point : all["points"]) {
    // No baseline is better than the true optimum of its size or of a smaller one.
    const auto within = std::prev(best.upper_bound(point["kv_ratio"].get<double>()));
    CHECK(within->second <= point["selection_loss"].get<double>());
  }
  // Nor is what a search of few moves finds.
  const json few = run("few", "asymgqa", "loss");
  int compared = 0;
  for (const json& point : few["points"]) {
    if (point["series"] != "search") continue;
    const auto within = std::prev(best.upper_bound(point["kv_ratio"].get<double>()));
    CHECK(within->second <= point["selection_loss"].get<double>());
    ++compared;
  }
  CHECK(compared == 4);
}
