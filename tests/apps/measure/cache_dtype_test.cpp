// `--cache-dtype` of `regroup eval` and `regroup search`, with the built program.

#include <cmath>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>

#include "search/base/random.hpp"
#include "tests/apps/program.hpp"
#include "tests/apps/promised_bytes.hpp"
#include "tests/apps/search_scene.hpp"
#include "tests/fixtures/random_checkpoint.hpp"
#include "tests/fixtures/tiny_family.hpp"
#include "tests/support/catch.hpp"

using namespace regroup;
using namespace regroup::tests;
using nlohmann::json;
namespace fs = std::filesystem;

namespace {

constexpr int kSourceHeads = 2 * 2 * 4;  // keys and values of two layers

/// A tiny model with heads of one block, and 401 ids for it: 25 windows.
class Scene {
 public:
  Scene() {
    TinyLlama shape;
    shape.head_dim = 32;
    shape.write(scratch_.path() / "tiny");
    search::RandomStream random(search::RandomKey(71));
    std::string ids;
    for (int i = 0; i < 401; ++i) ids += std::string{static_cast<char>(random.below(20)), '\0'};
    scratch_.write("ids.bin", ids);
  }

  std::string path(const std::string& name) const { return (scratch_.path() / name).string(); }
  apps::ProcessResult run_eval(const std::vector<std::string>& more) const {
    std::vector<std::string> all = {"eval", path("tiny"), "--data", path("ids.bin"), "--json"};
    all.insert(all.end(), more.begin(), more.end());
    return run_regroup(all);
  }
  json eval(const std::vector<std::string>& more) const {
    const apps::ProcessResult result = run_eval(more);
    INFO(result.error);
    REQUIRE(result.exit_status == 0);
    return json::parse(result.output);
  }
  double loss(const std::vector<std::string>& more) const {
    return eval(more)["results"]["perplexity"]["loss,none"];
  }
  /// A quick search with more options.
  std::vector<std::string> search(const std::string& out,
                                  const std::vector<std::string>& more = {}) const {
    std::vector<std::string> all = {"search",        path("tiny"), "-o", path(out), "--eval",
                                    path("ids.bin"), "--measure",  "3",  "-q"};
    all.insert(all.end(), more.begin(), more.end());
    return with_paper_recipe(all);
  }
  json document(const std::string& name) const { return json::parse(read_file(path(name))); }
  fs::path scratch() const { return scratch_.path(); }

 private:
  TemporaryDirectory scratch_;
};

}  // namespace

TEST_CASE("eval computes with the cache that is asked for, and records it") {
  const Scene scene;
  const json plain = scene.eval({});
  CHECK(plain["config"]["cache_dtype"] == "float32");
  CHECK(plain["config"]["kv_bytes_per_token"] == kSourceHeads * 32 * 4);
  const std::map<std::string, int> bytes = {{"f16", 64}, {"q8_0", 34}, {"q4_0", 18}};
  std::map<std::string, double> changes;
  for (const auto& [type, block] : bytes) {
    const json result = scene.eval({"--cache-dtype", type});
    CHECK(result["config"]["cache_dtype"] == type);
    CHECK(result["config"]["kv_bytes_per_token"] == kSourceHeads * block);
    changes[type] = std::abs(result["results"]["perplexity"]["loss,none"].get<double>() -
                             plain["results"]["perplexity"]["loss,none"].get<double>());
  }
  CHECK(changes["f16"] > 0);
  CHECK(changes["q8_0"] > changes["f16"]);
  CHECK(changes["q4_0"] > changes["q8_0"]);
  CHECK(scene.loss({"--cache-dtype", "q4_0", "-j", "1"}) ==
        scene.loss({"--cache-dtype", "q4_0", "-j", "3"}));
}

TEST_CASE("a cache type alone can be measured beside the source") {
  const Scene scene;
  const json result = scene.eval({"--task", "divergence", "--cache-dtype", "q4_0"});
  CHECK(result["results"]["divergence"]["kl,none"].get<double>() > 0);
  CHECK(result["results"]["divergence"]["loss,none"] == scene.loss({"--cache-dtype", "q4_0"}));
  CHECK(scene.run_eval({"--task", "divergence"}).exit_status == 2);
}

TEST_CASE("a search measures source and points with other caches as eval does") {
  const Scene scene;
  REQUIRE(run_regroup(scene.search("run")).exit_status == 0);
  const json front = scene.document("run/front.json");
  CHECK(scene.document("run/run.json")["options"]["cache_dtypes"] == json({"q8_0", "q4_0"}));
  const json& source = front["source"]["caches"];
  REQUIRE(source.size() == 2);
  CHECK(source[0]["type"] == "q8_0");
  CHECK(source[0]["bytes_per_token"] == kSourceHeads * 34);
  CHECK(source[1]["loss"].get<double>() == scene.loss({"--cache-dtype", "q4_0"}));
  std::size_t rows = 2;
  for (const json& point : front["points"]) {
    CHECK(point.contains("caches") == (point["series"] == "search"));
    if (!point.contains("caches")) continue;
    for (const json& cache : point["caches"]) {
      const std::string type = cache["type"];
      const std::string grouping = scene.path("run/" + point["grouping"].get<std::string>());
      CHECK(cache["loss"].get<double>() ==
            scene.loss({"--grouping", grouping, "--cache-dtype", type}));
      CHECK(cache["delta_loss"].get<double>() ==
            Approx(cache["loss"].get<double>() - front["source"]["loss"].get<double>()));
      CHECK(cache["bytes_per_token"].get<double>() ==
            kSourceHeads * point["kv_ratio"].get<double>() * (type == "q8_0" ? 34 : 18));
      CHECK(cache["kl"].get<double>() > 0);
      ++rows;
    }
  }
  CHECK(rows == 2 + 3 * 2);
  const std::string csv = read_file(scene.path("run/caches.csv"));
  CHECK(count_lines(csv) == 1 + rows);
  CHECK_THAT(csv, contains("series,method,merge,kv_ratio,type,bytes_per_token,loss,") &&
                      contains("\nsource,,,1.0,q8_0,544,"));
  const std::string page = read_file(scene.path("run/report.html"));
  CHECK_THAT(page, contains("\"verdict\":["));
}

TEST_CASE("which caches a search measures: those asked for, none, or what the model has") {
  const Scene scene;
  REQUIRE(run_regroup(scene.search("none", {"--cache-dtype", "none"})).exit_status == 0);
  CHECK_FALSE(scene.document("none/front.json")["source"].contains("caches"));
  CHECK_FALSE(fs::exists(scene.path("none/caches.csv")));
  REQUIRE(run_regroup(scene.search("two", {"--cache-dtype", "q4_0,f16,q4_0"})).exit_status == 0);
  CHECK(scene.document("two/run.json")["options"]["cache_dtypes"] == json({"f16", "q4_0"}));
  REQUIRE(run_regroup(scene.search("two", {"--cache-dtype", "none", "--force"})).exit_status == 0);
  CHECK_FALSE(fs::exists(scene.path("two/caches.csv")));

  const SearchScene small;  // heads of 4
  REQUIRE(run_regroup(small.search("run", {"--measure", "1"})).exit_status == 0);
  CHECK_FALSE(small.front("run")["source"].contains("caches"));
  const auto unmeasured = with_paper_recipe(
      {"search", scene.path("tiny"), "-o", scene.path("proxy"), "--measure", "0", "-q"});
  REQUIRE(run_regroup(unmeasured).exit_status == 0);
  CHECK(scene.document("proxy/run.json")["options"]["cache_dtypes"].empty());
}

TEST_CASE("a broken off search measures only the caches that it had not, to the same bytes") {
  const Scene scene;
  REQUIRE(run_regroup(scene.search("run", {"-j", "1"})).exit_status == 0);
  const auto whole = promised_bytes(scene.path("run"));
  CHECK(whole.contains("caches.csv"));
  const auto files = [&] {
    std::map<fs::path, fs::file_time_type> found;
    for (const auto& entry : fs::directory_iterator(scene.path("run/state/measured"))) {
      found[entry.path()] = entry.last_write_time();
    }
    return found;
  };
  const auto measured = files();
  fs::remove(scene.path("run/run.json"));
  std::size_t place = 0;
  for (const auto& [file, time] : measured) {
    if (place++ % 2 == 0) fs::remove(file);
  }
  const auto left = files();
  REQUIRE(run_regroup(scene.search("run", {"--resume", "-j", "3"})).exit_status == 0);
  CHECK(promised_bytes(scene.path("run")) == whole);
  CHECK(files().size() == measured.size());
  for (const auto& [file, time] : left) CHECK(files().at(file) == time);

  fs::remove(scene.path("run/run.json"));
  const auto other = run_regroup(scene.search("run", {"--resume", "--cache-dtype", "q8_0"}));
  CHECK(other.exit_status == 2);
  CHECK_THAT(other.error, contains("cache_dtypes"));
}

TEST_CASE("cache types that cannot be measured are refused before anything is computed") {
  const Scene scene;
  const auto refuses = [](const std::vector<std::string>& arguments, const std::string& part) {
    CAPTURE(arguments);
    const apps::ProcessResult result = run_regroup(arguments);
    CHECK(result.exit_status == 2);
    CHECK_THAT(result.error, contains(part));
    CHECK(count_lines(result.error) <= 4);
  };
  const std::string data = scene.path("ids.bin");
  refuses({"eval", scene.path("tiny"), "--data", data, "--cache-dtype", "q5_0"}, "f16, q8_0, q4_0");
  TinyLlama().write(scene.scratch() / "small");
  refuses({"eval", scene.path("small"), "--data", data, "--cache-dtype", "q8_0"}, "head_dim 4");
  refuses({"search", scene.path("small"), "-o", scene.path("out"), "--cache-dtype", "q4_0"},
          "head_dim 4");
  refuses(scene.search("out", {"--cache-dtype", "none,q8_0"}), "none");
  refuses({"search", scene.path("tiny"), "-o", scene.path("out"), "--measure", "0", "--cache-dtype",
           "q8_0"},
          "--measure");
  const json config = tiny_config("BertForMaskedLM");
  write_checkpoint(scene.scratch() / "bert", config, random_values(config, 3));
  refuses(
      {"eval", scene.path("bert"), "--data", data, "--task", "divergence", "--cache-dtype", "f16"},
      "causal");
  CHECK_FALSE(fs::exists(scene.path("out")));
}
