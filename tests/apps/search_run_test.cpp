// Whole searches with the built program: what they write, and the same bytes for any number of
// threads.

#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "tests/apps/program.hpp"
#include "tests/apps/promised_bytes.hpp"
#include "tests/apps/search_scene.hpp"
#include "tests/support/catch.hpp"

using namespace regroup;
using namespace regroup::tests;
using nlohmann::json;
namespace fs = std::filesystem;

TEST_CASE("the same seed gives the same bytes for one thread and many") {
  const SearchScene scene;
  CHECK(run_regroup(scene.search("one", {"-j", "1"})).exit_status == 0);
  CHECK(run_regroup(scene.search("many", {"-j", "3"})).exit_status == 0);
  CHECK(promised_bytes(scene.path("one")) == promised_bytes(scene.path("many")));
  CHECK(run_regroup(scene.search("other", {"--seed", "2"})).exit_status == 0);
  CHECK(promised_bytes(scene.path("one")) != promised_bytes(scene.path("other")));
}

TEST_CASE("front.json holds what it promises") {
  const SearchScene scene;
  REQUIRE(run_regroup(scene.search("run")).exit_status == 0);
  const json front = scene.front("run");
  CHECK(front["format"] == "regroup.front");
  CHECK(front["source"]["kv_bytes_per_token"] == 2 * 4 * 2 * 4 * 4);
  std::map<std::string, int> counts;
  double last_ratio = 0;
  std::string last_series;
  for (const json& point : front["points"]) {
    const std::string series = point["series"];
    const double ratio = point["kv_ratio"];
    if (series == last_series) CHECK(ratio >= last_ratio);
    last_series = series;
    last_ratio = ratio;
    ++counts[series];
    CHECK(point["bytes_per_token"] == ratio * front["source"]["kv_bytes_per_token"].get<double>());
    CHECK(point["delta_loss"].get<double>() ==
          Approx(point["loss"].get<double>() - front["source"]["loss"].get<double>()).margin(1e-9));
    CHECK(fs::exists(scene.path("run/" + point["grouping"].get<std::string>())));
    // On the front: nothing is as small and as good, and better in one.
    bool beaten = false;
    for (const json& other : front["points"]) {
      const double r = other["kv_ratio"];
      const double l = other["loss"];
      const double loss = point["loss"];
      beaten = beaten || (r <= ratio && l <= loss && (r < ratio || l < loss));
    }
    CHECK(point["on_front"] == !beaten);
  }
  CHECK(front["points"][0]["series"] == "search");
  CHECK(counts["search"] >= 4);
  CHECK(counts["neighbour"] == 3);
  CHECK(counts["mqa"] == 1);
  CHECK(counts["random"] == 9);
}

TEST_CASE("points say how far they are from the source, and how sure that is") {
  const SearchScene scene;
  REQUIRE(run_regroup(scene.search("run")).exit_status == 0);
  int sources = 0;
  int baselines = 0;
  const json front = scene.front("run");
  for (const json& point : front["points"]) {
    const double delta = point["delta_loss"];
    const double low = point["delta_loss_low"];
    const double high = point["delta_loss_high"];
    const double kl = point["kl"];
    if (point["kv_ratio"] == 1.0) {  // the source itself
      CHECK(low == 0);
      CHECK(high == 0);
      CHECK(kl == 0);
      CHECK(point["kl_stderr"] == 0.0);
      CHECK(point["top1_agreement"] == 1.0);
      ++sources;
    } else {
      CHECK(low < delta);
      CHECK(delta < high);
      // 64 windows: close to the normal interval.
      CHECK(high - low == Approx(2 * 1.96 * point["delta_loss_stderr"].get<double>()).epsilon(0.1));
      CHECK(kl > 0);
      CHECK(point["kl_stderr"].get<double>() > 0);
      CHECK(point["top1_agreement"].get<double>() < 1);
      CHECK(point["top1_agreement"].get<double>() > 0);
    }
    CHECK(point.contains("search_better") == (point["series"] != "search"));
    if (!point.contains("search_better")) continue;
    ++baselines;
    const json* rival = nullptr;  // search comes first, by ascending size
    for (const json& other : front["points"]) {
      if (other["series"] == "search" && other["kv_ratio"] <= point["kv_ratio"]) rival = &other;
    }
    REQUIRE(rival != nullptr);
    const double better = point["search_better"];
    CHECK(better >= 0);
    CHECK(better <= 1);
    if ((*rival)["delta_loss"] < point["delta_loss"]) CHECK(better > 0.4);
    if ((*rival)["delta_loss"] > point["delta_loss"]) CHECK(better < 0.6);
    if ((*rival)["delta_loss_high"] < point["delta_loss_low"]) CHECK(better > 0.95);
    if ((*rival)["delta_loss_low"] > point["delta_loss_high"]) CHECK(better < 0.05);
  }
  CHECK(sources == 1);
  CHECK(baselines == 13);
  const std::string csv = read_file(scene.path("run/front.csv"));
  CHECK_THAT(csv, contains(",delta_loss_stderr,delta_loss_low,delta_loss_high,kl,kl_stderr,"
                           "top1_agreement,search_better,on_front,grouping\n"));
}

TEST_CASE("with KV limits a baseline is compared with the search's answer to the same limit") {
  const SearchScene scene;
  REQUIRE(
      run_regroup(scene.search("run", {"--method", "neighbour", "--kv", "0.6,0.3"})).exit_status ==
      0);
  int same = 0;
  const json front = scene.front("run");
  for (const json& point : front["points"]) {
    if (point["series"] != "neighbour") continue;
    // The search's own answer is this very grouping: as often better as not.
    CHECK(point["search_better"] == 0.5);
    ++same;
  }
  CHECK(same == 2);
}

TEST_CASE("a KV limit gives the best grouping within each limit") {
  const SearchScene scene;
  REQUIRE(run_regroup(scene.search("run", {"--kv", "0.6,0.3"})).exit_status == 0);
  const json front = scene.front("run");
  std::vector<double> limits;
  for (const json& point : front["points"]) {
    CHECK(point["kv_ratio"].get<double>() <= point["kv_limit"].get<double>() + 1e-12);
    if (point["series"] == "search") limits.push_back(point["kv_limit"]);
    if (point["series"] == "neighbour") {
      // 0.6 of 4 heads: 2 groups; 0.3: 1.
      CHECK(point["kv_ratio"].get<double>() == (point["kv_limit"] == 0.6 ? 0.5 : 0.25));
    }
  }
  CHECK(limits == std::vector<double>{0.3, 0.6});
}

TEST_CASE("nothing is measured with --measure 0, and the report says so") {
  const SearchScene scene;
  REQUIRE(run_regroup(scene.search("run", {"--measure", "0"})).exit_status == 0);
  const json front = scene.front("run");
  CHECK_FALSE(front["source"].contains("loss"));
  for (const json& point : front["points"]) {
    for (const char* field : {"loss", "kl", "top1_agreement", "delta_loss_low", "search_better"}) {
      CHECK_FALSE(point.contains(field));
    }
  }
  CHECK(fs::exists(scene.path("run/report.html")));
}

TEST_CASE(
    "calibration makes a second proxy, sampled where the fitness needs it and none is given") {
  const SearchScene scene;
  REQUIRE(run_regroup(scene.search("plain")).exit_status == 0);
  CHECK_FALSE(scene.front("plain")["points"][0].contains("activation"));
  CHECK_FALSE(fs::exists(scene.path("plain/calibration.safetensors")));
  for (const char* threads : {"1", "3"}) {
    REQUIRE(run_regroup(scene.search(threads, {"--fitness", "activation", "-j", threads}))
                .exit_status == 0);
  }
  const json front = scene.front("1");
  for (const json& point : front["points"]) {
    CHECK(point["activation"].get<double>() >= 0);
    CHECK(point["wse"].get<double>() >= 0);
  }
  CHECK(promised_bytes(scene.path("1")) == promised_bytes(scene.path("3")));
  CHECK(read_file(scene.path("1/calibration.safetensors")) ==
        read_file(scene.path("3/calibration.safetensors")));
  const json record = json::parse(read_file(scene.path("1/run.json")));
  CHECK(record["data"]["calibration"]["sampled"] == true);
}

TEST_CASE("every method runs and repeats its bytes") {
  const SearchScene scene;
  for (const char* method : {"qcqa", "qcqa-ec", "asymgqa", "kdgqa", "dgqa", "exact", "exhaustive",
                             "neighbour", "mqa", "random"}) {
    const bool joint_only = std::string(method).ends_with("dgqa");
    for (const char* partitions : {"joint", "independent"}) {
      if (joint_only && std::string(partitions) != "joint") continue;
      CAPTURE(method, partitions);
      const auto search = [&](const std::string& out) {
        return run_regroup(
            scene.search(out, {"--method", method, "--partitions", partitions, "--measure", "3"}));
      };
      const std::string name = std::string(method) + partitions;
      REQUIRE(search(name + "-a").exit_status == 0);
      REQUIRE(search(name + "-b").exit_status == 0);
      CHECK(promised_bytes(scene.path(name + "-a")) == promised_bytes(scene.path(name + "-b")));
    }
  }
}

TEST_CASE("key-norm methods repeat their bytes for one thread and many") {
  const SearchScene scene;
  const std::vector<std::vector<std::string>> variants = {
      {"--method", "kdgqa"}, {"--method", "dgqa"}, {"--method", "dgqa", "--dgqa", "diff"}};
  std::set<std::string> allocations;
  for (std::size_t v = 0; v < variants.size(); ++v) {
    const std::string name = "run" + std::to_string(v);
    for (const char* threads : {"1", "3"}) {
      std::vector<std::string> more = variants[v];
      more.insert(more.end(), {"--measure", "4", "-j", threads});
      REQUIRE(run_regroup(scene.search(name + threads, more)).exit_status == 0);
    }
    CHECK(promised_bytes(scene.path(name + "1")) == promised_bytes(scene.path(name + "3")));
    int allocated = 0;
    std::string all;
    const json front = scene.front(name + "1");
    for (const json& point : front["points"]) {
      const json file =
          json::parse(read_file(scene.path(name + "1/" + point["grouping"].get<std::string>())));
      CHECK(file["kv"]["ratio"] == point["kv_ratio"]);
      const bool searched = point["series"] == "search";
      for (const json& layer : file["layers"]) {
        CHECK(layer.contains("query_to_group") == searched);
        if (searched) all += layer["query_to_group"].dump();
      }
      allocated += searched ? 1 : 0;
    }
    CHECK(allocated >= 2);
    allocations.insert(all);
    const json record = json::parse(read_file(scene.path(name + "1/run.json")));
    CHECK(record["data"]["calibration"]["sampled"] == true);
  }
  CHECK(allocations.size() == 3);
}

TEST_CASE("rules, budgets and seeds of the command line reach the search") {
  const SearchScene scene(TinyLlama{.kv_heads = 4});
  const auto groups_of = [&](const json& point) {
    const json file =
        json::parse(read_file(scene.path("run/" + point["grouping"].get<std::string>())));
    std::vector<std::size_t> counts;
    for (const json& layer : file["layers"]) counts.push_back(layer["key_groups"].size());
    return counts;
  };
  const auto run = [&](const std::vector<std::string>& more) {
    std::vector<std::string> arguments = scene.search("run", more);
    arguments.insert(arguments.end(), {"--measure", "0", "--force"});
    const apps::ProcessResult result = run_regroup(arguments);
    INFO(result.error);
    REQUIRE(result.exit_status == 0);
    return scene.front("run");
  };
  for (const json& point : run({"--layout", "standard"})["points"]) {
    CHECK(std::set<std::size_t>{1, 2, 4}.contains(groups_of(point)[0]));
    CHECK(groups_of(point)[0] == groups_of(point)[1]);
  }
  for (const json& point : run({"--freeze-layers", "1", "--min-groups", "2"})["points"]) {
    CHECK(groups_of(point)[0] >= 2);
    CHECK(groups_of(point)[1] == 4);
  }
  // 2 layers x 2 x 4 heads x 8 dimensions x 4 bytes a token: half of it for 10 x 3 tokens.
  const json inspected = json::parse(
      run_regroup({"inspect", scene.path("tiny"), "--json", "--context", "10", "--batch", "3"})
          .output);
  const auto bytes = static_cast<std::int64_t>(inspected["kv_cache"]["bytes"].get<double>());
  CHECK(bytes == 30 * inspected["kv_bytes_per_token"].get<std::int64_t>());
  const json limited =
      run({"--cache-budget", std::to_string(bytes / 2), "--context", "10", "--batch", "3"});
  CHECK(limited["points"][0]["kv_limit"] == 0.5);
  CHECK(limited["points"][0]["kv_ratio"] == 0.5);
  run({"--evaluations", "12"});
  const json record = json::parse(read_file(scene.path("run/run.json")));
  CHECK(record["evaluations"].get<int>() <= 24);  // in each of two stages
  CHECK(run({"--seconds", "0.001"})["points"].size() > 3);
}

TEST_CASE("the front says how far it is from the best") {
  const SearchScene scene;
  const json exact = [&] {
    REQUIRE(run_regroup(scene.search("exact", {"--method", "exact"})).exit_status == 0);
    return scene.front("exact")["certificate"];
  }();
  CHECK(exact["fraction"] == 1.0);
  const std::string proof = read_file(scene.path("exact/proof.csv"));
  CHECK(count_lines(proof) == 1 + 2 * 4);  // 2 layers, 1 to 4 groups
  CHECK_THAT(proof, contains("layer 1,4,0,0,0,true,0"));
  CHECK(exact["worst_gap"] == 0.0);
  REQUIRE(run_regroup(scene.search("neighbour", {"--method", "neighbour"})).exit_status == 0);
  const json neighbour = scene.front("neighbour")["certificate"];
  CHECK(neighbour["exact_hypervolume"] == exact["exact_hypervolume"]);
  CHECK(neighbour["fraction"].get<double>() < 1);
  const apps::ProcessResult said = run_regroup(scene.search("q", {"--method", "qcqa"}));
  CHECK_THAT(said.output, contains("of the hypervolume of the exact front"));
  CHECK_THAT(read_file(scene.path("q/report.html")),
             contains("exact_hypervolume") || contains("\"certificate\""));
}

TEST_CASE("each row's grouping file holds that row's grouping, however close the limits") {
  const SearchScene scene;
  REQUIRE(run_regroup(scene.search("run", {"--kv", "0.56,0.5,0.52,0.5", "--measure", "0"}))
              .exit_status == 0);
  const json front = scene.front("run");
  std::map<std::string, int> counts;
  for (const json& point : front["points"]) {
    ++counts[point["series"].get<std::string>()];
    const json file =
        json::parse(read_file(scene.path("run/" + point["grouping"].get<std::string>())));
    CHECK(file["objectives"]["wse"] == point["wse"]);
    CHECK(file["kv"]["ratio"] == point["kv_ratio"]);
  }
  CHECK(counts["search"] == 3);
  CHECK(counts["random"] == 9);
}
