// Whole searches with the built program: what they write, and the same bytes for any number of
// threads.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "search/methods/method_table.hpp"
#include "tests/apps/program.hpp"
#include "tests/apps/promised_bytes.hpp"
#include "tests/apps/search_scene.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/near.hpp"

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
          near(point["loss"].get<double>() - front["source"]["loss"].get<double>(), 1e-9));
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
  int baselines = 0;
  for (const json& point : front["points"]) {
    const double activation = point["activation"];
    if (point["kv_ratio"] == 1.0) CHECK(activation == 0);
    if (point["kv_ratio"] != 1.0) CHECK(point["wse"] != activation);
    if (point["series"] == "search") continue;
    // What was minimised is no larger than at any baseline of this size or a larger one.
    double least = std::numeric_limits<double>::infinity();
    for (const json& own : front["points"]) {
      if (own["series"] != "search" || own["kv_ratio"] > point["kv_ratio"]) continue;
      least = std::min(least, own["activation"].get<double>());
    }
    CHECK(least <= activation * (1 + 1e-9));
    ++baselines;
  }
  CHECK(baselines == 16);
  CHECK(promised_bytes(scene.path("1")) == promised_bytes(scene.path("3")));
  CHECK(read_file(scene.path("1/calibration.safetensors")) ==
        read_file(scene.path("3/calibration.safetensors")));
  const json record = json::parse(read_file(scene.path("1/run.json")));
  CHECK(record["data"]["calibration"]["sampled"] == true);
}

TEST_CASE("every method runs and repeats its bytes") {
  const SearchScene scene;
  std::size_t runs = 0;
  for (const std::string_view name : search::method_names()) {
    for (const char* partitions : {"joint", "independent"}) {
      const bool is_joint = std::string_view(partitions) == "joint";
      if (search::make_method(name)->allocates_queries() && !is_joint) continue;
      const std::string method(name);
      CAPTURE(method, partitions);
      const auto bytes = [&](const std::string& out) {
        const auto arguments =
            scene.search(out, {"--method", method, "--partitions", partitions, "--measure", "3"});
        REQUIRE(run_regroup(arguments).exit_status == 0);
        const json front = scene.front(out);
        CHECK(front["points"][0]["series"] == "search");
        CHECK(front["points"][0]["method"] == search::make_method(name)->file_name());
        return promised_bytes(scene.path(out));
      };
      CHECK(bytes(method + partitions + "-a") == bytes(method + partitions + "-b"));
      ++runs;
    }
  }
  CHECK(runs > search::method_names().size());
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
  const json certificate = scene.front("q")["certificate"];
  CHECK(certificate["exact_hypervolume"] == exact["exact_hypervolume"]);
  // The page holds the same numbers for its script.
  const std::string page = read_file(scene.path("q/report.html"));
  const std::string block = "id=\"report-data\">";
  const std::size_t begin = page.find(block);
  REQUIRE(begin != std::string::npos);
  const std::size_t end = page.find("</script>", begin);
  const json data = json::parse(page.substr(begin + block.size(), end - begin - block.size()));
  REQUIRE(data["runs"].size() == 1);
  CHECK(data["runs"][0]["certificate"]["best"] == certificate["exact_hypervolume"]);
  CHECK(data["runs"][0]["certificate"]["hypervolume"] == certificate["hypervolume"]);
  CHECK(data["runs"][0]["certificate"]["exact"] == true);
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
