// Groups wider than a head, from the search to the converted checkpoint.

#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "search/base/random.hpp"
#include "tests/apps/program.hpp"
#include "tests/apps/promised_bytes.hpp"
#include "tests/apps/search_scene.hpp"
#include "tests/support/catch.hpp"

using namespace regroup;
using namespace regroup::tests;
using nlohmann::json;

namespace {

class WideScene : public SearchScene {
 public:
  WideScene() {
    write_ids("calibration.bin", 24 * 16 + 1, 1);
    write_ids("eval.bin", 12 * 16 + 1, 3);
  }

  std::vector<std::string> search(const std::string& out,
                                  const std::vector<std::string>& more) const {
    std::vector<std::string> all = {
        "search", path("tiny"), "-o", path(out), "--calibration", path("calibration.bin"), "-q"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }

  /// What a search refuses.
  std::string refusal(const std::vector<std::string>& more) const {
    const apps::ProcessResult result = run_regroup(search("refused", more));
    CHECK(result.exit_status == 2);
    return result.error;
  }

  /// Points of the search itself.
  std::vector<json> own(const std::string& run) const {
    const json found = front(run);
    std::vector<json> points;
    for (const json& point : found["points"]) {
      if (point["series"] == "search") points.push_back(point);
    }
    return points;
  }

 private:
  void write_ids(const std::string& name, int count, std::uint64_t key) const {
    search::RandomStream random{search::RandomKey(key)};
    std::ofstream stream(path(name), std::ios::binary);
    for (int i = 0; i < count; ++i) stream.put(static_cast<char>(random.below(20))).put(0);
  }
};

}  // namespace

TEST_CASE("a search over widths finds groupings that lose less, and says what they multiply") {
  const WideScene scene;
  const std::vector<std::string> sizes = {"--kv", "0.75,0.5,0.25", "--measure", "0"};
  const auto with = [&](const std::vector<std::string>& more) {
    std::vector<std::string> all = sizes;
    all.insert(all.end(), more.begin(), more.end());
    return all;
  };
  REQUIRE(run_regroup(scene.search("head", with({"--width", "head"}))).exit_status == 0);
  CHECK_FALSE(scene.own("head")[0].contains("width"));
  CHECK_FALSE(scene.own("head")[0].contains("compute"));
  for (const char* width : {"stock", "1,2", "free"}) {
    CAPTURE(width);
    REQUIRE(run_regroup(scene.search(width, with({"--width", width}))).exit_status == 0);
    const std::vector<json> wide = scene.own(width);
    const std::vector<json> narrow = scene.own("head");
    bool is_wide = false;
    for (const json& point : wide) {
      const double limit = point["kv_limit"];
      CHECK(point["kv_ratio"] <= limit);
      is_wide = is_wide || point.contains("width");
      CHECK(point.contains("compute"));
      for (const json& other : narrow) {
        // Every one of these holds groups of heads, too.
        if (other["kv_limit"] != limit) continue;
        CHECK(point["fisher"].get<double>() <= other["fisher"].get<double>() * (1 + 1e-9));
      }
    }
    CHECK(is_wide);
    CHECK(scene.front(width)["certificate"]["fraction"] == 1.0);
  }
  // Where nothing is said of widths.
  REQUIRE(run_regroup(scene.search("default", sizes)).exit_status == 0);
  CHECK(scene.own("default") == scene.own("stock"));
}

TEST_CASE("a grouping of wide groups is evaluated, converted and read back alike") {
  const WideScene scene;
  REQUIRE(run_regroup(
              scene.search("run", {"--width", "2", "--kv", "0.5", "--eval", scene.path("eval.bin"),
                                   "--measure", "1", "--cache-dtype", "none"}))
              .exit_status == 0);
  const json point = scene.own("run")[0];
  const std::string grouping = scene.path("run/" + point["grouping"].get<std::string>());
  const auto loss = [&](const std::vector<std::string>& arguments) {
    std::vector<std::string> all = {"eval"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    all.insert(all.end(), {"--data", scene.path("eval.bin"), "--json", "-q"});
    const apps::ProcessResult result = run_regroup(all);
    CHECK(result.error == "");
    return json::parse(result.output)["results"]["perplexity"]["loss,none"].get<double>();
  };
  const double expected = point["loss"];
  using Catch::Matchers::WithinAbs;
  CHECK_THAT(loss({scene.path("tiny"), "--grouping", grouping}), WithinAbs(expected, 1e-6));
  CHECK_THAT(loss({scene.path("tiny"), "--grouping", grouping, "--rotate-cache"}),
             WithinAbs(expected, 1e-5));
  for (const char* layout : {"standard", "per-layer", "free"}) {
    CAPTURE(layout);
    const std::string target = scene.path(layout);
    const apps::ProcessResult result =
        run_regroup({"convert", scene.path("tiny"), "--run", scene.path("run"), "--kv", "0.5",
                     "--layout", layout, "-o", target, "-q"});
    if (result.exit_status != 0) {
      CHECK_THAT(result.error, contains("cannot hold this grouping"));
      continue;
    }
    CHECK_THAT(loss({target}), WithinAbs(expected, 1e-5));
  }
  const std::string file = scene.path("wide.gguf");
  CHECK(run_regroup({"convert", scene.path("tiny"), "--run", scene.path("run"), "--kv", "0.5",
                     "--format", "gguf", "--no-tokenizer", "-o", file, "-q"})
            .error == "");
  CHECK_THAT(loss({file}), WithinAbs(expected, 1e-5));
}

TEST_CASE("compute is a limit and an objective of a search over widths") {
  const WideScene scene;
  const std::vector<std::string> wide = {"--width", "1,2", "--measure", "0"};
  const auto with = [&](const std::vector<std::string>& more) {
    std::vector<std::string> all = wide;
    all.insert(all.end(), more.begin(), more.end());
    return all;
  };
  REQUIRE(run_regroup(scene.search("limited", with({"--max-compute", "1.05"}))).exit_status == 0);
  for (const json& point : scene.own("limited")) CHECK(point["compute"] <= 1.05);
  REQUIRE(run_regroup(scene.search("three", with({"--objectives", "bytes,loss,compute"})))
              .exit_status == 0);
  std::set<double> computes;
  for (const json& point : scene.own("three")) computes.insert(point["compute"].get<double>());
  CHECK(computes.size() > 2);
  REQUIRE(
      run_regroup(scene.search("again", with({"--objectives", "compute,loss,bytes", "-j", "2"})))
          .exit_status == 0);
  CHECK(promised_bytes(scene.path("three")) == promised_bytes(scene.path("again")));
  CHECK_THAT(scene.refusal(with({"--max-compute", "0.01"})), contains("--max-compute"));
  CHECK_THAT(scene.refusal({"--objectives", "bytes"}), contains("bytes,loss,compute"));
}

TEST_CASE("widths that a search cannot look at are refused with those that it can") {
  const WideScene scene;
  CHECK_THAT(scene.refusal({"--width", "9"}), contains("multiples of a head from 1 to 4"));
  CHECK_THAT(scene.refusal({"--width", "wide"}), contains("head, stock, free"));
  CHECK_THAT(scene.refusal({"--width", "2", "--merge", "mean"}), contains("--merge optimal"));
  CHECK_THAT(scene.refusal({"--width", "2", "--fitness", "wse"}), contains("--fitness fisher"));
  CHECK_THAT(scene.refusal({"--width", "1,2", "--method", "random"}), contains("layer by layer"));
  CHECK_THAT(scene.refusal({"--width", "4", "--kv", "0.5"}), contains("--kv"));
  CHECK_THAT(scene.refusal({"--width", "free", "--min-groups", "2"}), contains("one group"));
}
