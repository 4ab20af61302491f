// search → eval → convert → eval with the built program, as a user would.

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/apps/program.hpp"
#include "tests/fixtures/tiny_llama.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/near.hpp"
#include "tests/support/temporary_directory.hpp"

using namespace regroup;
using namespace regroup::tests;
using nlohmann::json;

namespace {

class Scene {
 public:
  explicit Scene(int query_heads = 4) {
    TinyLlama shape;
    shape.query_heads = query_heads;
    shape.dtype = models::DType::kBF16;
    shape.write(scratch_.path() / "tiny");
    std::string ids;
    for (int i = 0; i < 2000; ++i) ids += std::string{static_cast<char>(i * i % 19), '\0'};
    scratch_.write("ids.bin", ids);
  }

  std::string path(const std::string& name) const { return (scratch_.path() / name).string(); }
  double loss(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), "eval");
    arguments.insert(arguments.end(), {"--data", path("ids.bin"), "-o", path("result.json"), "-q"});
    REQUIRE(run_regroup(arguments).exit_status == 0);
    const json result = json::parse(read_file(path("result.json")));
    CHECK(result["n-samples"]["perplexity"]["effective"] == 1984);
    const json& perplexity = result["results"]["perplexity"];
    CHECK(perplexity["perplexity,none"].get<double>() ==
          Approx(std::exp(perplexity["loss,none"].get<double>())));
    return perplexity["loss,none"];
  }

 private:
  TemporaryDirectory scratch_;
};

}  // namespace

TEST_CASE("eval of the converted directory equals eval with the grouping, and the search's loss") {
  const Scene scene;
  REQUIRE(run_regroup({"search", scene.path("tiny"), "-o", scene.path("run"), "--eval",
                       scene.path("ids.bin"), "--population", "10", "--generations", "5", "-q"})
              .exit_status == 0);
  const json front = json::parse(read_file(scene.path("run/front.json")));
  CHECK(scene.loss({scene.path("tiny")}) == near(front["source"]["loss"].get<double>(), 1e-12));
  int converted = 0;
  for (const json& point : front["points"]) {
    if (point["series"] == "random") continue;
    const std::string grouping = scene.path("run/" + point["grouping"].get<std::string>());
    const std::string target = scene.path("converted" + std::to_string(converted++));
    REQUIRE(run_regroup({"convert", scene.path("tiny"), "--grouping", grouping, "-o", target, "-q"})
                .exit_status == 0);
    const double grouped = scene.loss({scene.path("tiny"), "--grouping", grouping});
    CHECK(scene.loss({target}) == near(grouped, 1e-5));
    CHECK(grouped == near(point["loss"].get<double>(), 1e-12));
  }
  CHECK(converted > 6);
  const std::string half = scene.path("half");
  CHECK(run_regroup({"convert", scene.path("tiny"), "--run", scene.path("run"), "--kv", "0.5", "-o",
                     half, "-q"})
            .exit_status == 0);
  CHECK(run_regroup({"convert", scene.path("tiny"), "--run", scene.path("run"), "--kv", "0.1", "-o",
                     half + "2", "-q"})
            .exit_status == 2);
}

TEST_CASE("an allocation found by a key-norm method is evaluated and converted like any grouping") {
  for (const int query_heads : {4, 8}) {
    const Scene scene(query_heads);
    REQUIRE(run_regroup({"search", scene.path("tiny"), "-o", scene.path("run"), "--eval",
                         scene.path("ids.bin"), "--method", "kdgqa", "-q"})
                .exit_status == 0);
    const json front = json::parse(read_file(scene.path("run/front.json")));
    int converted = 0;
    for (const json& point : front["points"]) {
      if (point["series"] != "search") continue;
      const std::string grouping = scene.path("run/" + point["grouping"].get<std::string>());
      const double loss = scene.loss({scene.path("tiny"), "--grouping", grouping});
      CHECK(loss == near(point["loss"].get<double>(), 1e-12));
      const std::string target = scene.path("converted" + std::to_string(converted++));
      for (const char* layout : {"", "expand"}) {
        std::vector<std::string> convert = {"convert", scene.path("tiny"), "--grouping", grouping,
                                            "-o",      target + layout,    "-q"};
        if (*layout != '\0') convert.insert(convert.end(), {"--layout", layout});
        REQUIRE(run_regroup(convert).exit_status == 0);
        CHECK(scene.loss({target + layout}) == near(loss, 1e-5));
      }
    }
    CHECK(converted >= 2);
  }
}

TEST_CASE("convert --force leaves the new model alone, whatever stood there") {
  const Scene scene;
  const auto write = [&](const std::string& name, const std::string& groups) {
    std::ofstream(scene.path(name)) << R"({"format": "regroup.grouping", "version": 1, "layers": [)"
                                    << R"({"index": 0, "key_groups": )" << groups << "},"
                                    << R"({"index": 1, "key_groups": )" << groups << "}]}";
    return scene.path(name);
  };
  const std::string half = write("half.json", "[[0, 1], [2, 3]]");
  const std::string quarter = write("quarter.json", "[[0, 1, 2, 3]]");
  const auto convert = [&](const std::string& grouping, std::vector<std::string> more) {
    std::vector<std::string> all = {"convert", scene.path("tiny"), "--grouping", grouping,
                                    "-o",      scene.path("out"),  "-q"};
    all.insert(all.end(), more.begin(), more.end());
    return run_regroup(all).exit_status;
  };
  REQUIRE(convert(half, {}) == 0);
  CHECK(convert(quarter, {}) == 2);
  REQUIRE(convert(quarter, {"--force", "--max-shard-size", "1KB"}) == 0);
  CHECK(scene.loss({scene.path("out")}) ==
        near(scene.loss({scene.path("tiny"), "--grouping", quarter}), 1e-5));
  REQUIRE(convert(half, {"--force"}) == 0);
  CHECK(scene.loss({scene.path("out")}) ==
        near(scene.loss({scene.path("tiny"), "--grouping", half}), 1e-5));
  CHECK(run_regroup({"convert", scene.path("tiny"), "--grouping", half, "-o", scene.path("tiny"),
                     "--force"})
            .exit_status == 2);
}

TEST_CASE("the report of two runs is one page") {
  const Scene scene;
  for (const char* seed : {"1", "2"}) {
    REQUIRE(run_regroup({"search", scene.path("tiny"), "-o", scene.path(std::string("run") + seed),
                         "--seed", seed, "--population", "10", "--generations", "5", "-q"})
                .exit_status == 0);
  }
  REQUIRE(
      run_regroup({"report", scene.path("run1"), scene.path("run2"), "-o", scene.path("both.html")})
          .exit_status == 0);
  const std::string page = read_file(scene.path("both.html"));
  CHECK_THAT(page, contains("run1"));
  CHECK_THAT(page, contains("run2"));
  CHECK_FALSE(read_file(scene.path("both.svg")).empty());
}
