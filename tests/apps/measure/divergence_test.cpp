// The divergence from the source, measured by `eval` and by a search, with the built program.

#include <fstream>
#include <nlohmann/json.hpp>

#include "search/base/random.hpp"
#include "tests/apps/program.hpp"
#include "tests/apps/search_scene.hpp"
#include "tests/support/catch.hpp"

using namespace regroup;
using namespace regroup::tests;
using nlohmann::json;

namespace {

/// Random token ids for the scene's model, as uint16.
void write_ids(const std::string& file, int count) {
  search::RandomStream random{search::RandomKey(21)};
  std::ofstream stream(file, std::ios::binary);
  for (int i = 0; i < count; ++i) stream.put(static_cast<char>(random.below(20))).put(0);
}

/// The values that `eval` finds for a grouping file of the run.
json evaluate(const SearchScene& scene, const std::string& grouping, const std::string& data) {
  const apps::ProcessResult result =
      run_regroup({"eval", scene.path("tiny"), "--task", "divergence", "--grouping",
                   scene.path("run/" + grouping), "--data", scene.path(data), "--json", "-q"});
  INFO(result.error);
  REQUIRE(result.exit_status == 0);
  return json::parse(result.output)["results"]["divergence"];
}

}  // namespace

TEST_CASE("eval finds the divergence that the search reports") {
  const SearchScene scene;
  write_ids(scene.path("eval.bin"), 25 * 16 + 1);
  REQUIRE(run_regroup(scene.search("run", {"--eval", scene.path("eval.bin"), "--measure", "4"}))
              .exit_status == 0);
  int compared = 0;
  const json front = scene.front("run");
  for (const json& point : front["points"]) {
    const json values = evaluate(scene, point["grouping"], "eval.bin");
    for (const char* field : {"kl", "kl_stderr", "top1_agreement", "loss", "loss_stderr",
                              "delta_loss", "delta_loss_stderr"}) {
      CAPTURE(field);
      CHECK(values[std::string(field) + ",none"] == point[field]);
    }
    CHECK(values["delta_loss_low,none"] <= values["delta_loss,none"]);
    CHECK(values["delta_loss_high,none"] >= values["delta_loss,none"]);
    compared += point["kl"] > 0;
  }
  CHECK(compared > 8);
}

TEST_CASE("a single window has neither interval nor standard error") {
  const SearchScene scene;
  write_ids(scene.path("eval.bin"), 17);
  REQUIRE(run_regroup(scene.search("run", {"--eval", scene.path("eval.bin"), "--measure", "4"}))
              .exit_status == 0);
  const json front = scene.front("run");
  for (const json& point : front["points"]) {
    CHECK(point.contains("kl"));
    CHECK(point.contains("top1_agreement"));
    for (const char* field :
         {"kl_stderr", "delta_loss_stderr", "delta_loss_low", "delta_loss_high", "search_better"}) {
      CHECK_FALSE(point.contains(field));
    }
  }
  const json values = evaluate(scene, front["points"][0]["grouping"], "eval.bin");
  CHECK(values.contains("kl,none"));
  CHECK_FALSE(values.contains("kl_stderr,none"));
  CHECK_FALSE(values.contains("delta_loss_low,none"));
}
