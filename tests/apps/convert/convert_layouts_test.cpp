// What `regroup convert` says and writes beside the weights.

#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/apps/program.hpp"
#include "tests/fixtures/tiny_llama.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temporary_directory.hpp"

using namespace regroup;
using namespace regroup::tests;
using nlohmann::json;

namespace {

/// A tiny model, and groupings of its two layers of four heads.
class Scene {
 public:
  Scene() {
    TinyLlama().write(scratch_.path() / "tiny");
    scratch_.write("tiny/README.md",
                   "---\nlicense: apache-2.0\nlicense_link: LICENSE\r\ntags: [a]\n---\n# Tiny\n"
                   "license: not this one\n");
    scratch_.write("tiny/LICENSE", "the licence");
  }

  std::string path(const std::string& name) const { return (scratch_.path() / name).string(); }

  std::string grouping(const std::string& name, const json& layers) {
    json document = {{"format", "regroup.grouping"}, {"version", 1}, {"layers", json::array()}};
    for (std::size_t i = 0; i < layers.size(); ++i) {
      document["layers"].push_back(
          {{"index", i}, {"key_groups", layers[i][0]}, {"value_groups", layers[i].back()}});
    }
    scratch_.write(name, document.dump());
    return path(name);
  }

  apps::ProcessResult convert(const std::string& grouping, const std::string& output,
                              std::vector<std::string> more = {}) const {
    std::vector<std::string> all = {"convert", path("tiny"), "--grouping",
                                    grouping,  "-o",         path(output)};
    all.insert(all.end(), more.begin(), more.end());
    return run_regroup(all);
  }

 private:
  TemporaryDirectory scratch_;
};

const json kPairs = {{0, 3}, {1, 2}};
const json kOne = {{0, 1, 2, 3}};
const json kUneven = {{0}, {1, 2, 3}};

}  // namespace

TEST_CASE("convert says which layout it took, what the cache holds and what padding costs") {
  Scene scene;
  const std::string uneven = scene.grouping("uneven.json", {{kUneven}, {kOne}});
  const auto written = scene.convert(uneven, "padded", {"--json"});
  REQUIRE(written.exit_status == 0);
  const json summary = json::parse(written.output);
  CHECK(summary["layout"] == "pad");
  // Layers of 2 and 1 KV heads, keys and values of 4 numbers of 4 bytes.
  CHECK(summary["kv_bytes_per_token"] == 2 * (2 + 1) * 4 * 4);
  // 6 and 4 query heads in place of 4 and 4.
  CHECK(summary["query_heads_ratio"] == 1.25);
  const auto told = scene.convert(uneven, "padded", {"--force"});
  CHECK_THAT(told.error, contains("25.0 % more query heads"));
  CHECK_THAT(told.error, contains("trust_remote_code"));
  const std::string standard = scene.grouping("pairs.json", {{kPairs}, {kPairs}});
  CHECK_THAT(scene.convert(standard, "standard").output, contains("layout standard"));
}

TEST_CASE("convert says when keys and values of two widths are stored as wide as the wider") {
  const Scene scene;
  json grouping = {{"format", "regroup.grouping"},
                   {"version", 2},
                   {"merge", "optimal"},
                   {"layers", json::array()}};
  for (int layer = 0; layer < 2; ++layer) {
    grouping["layers"].push_back({{"index", layer},
                                  {"key_groups", kPairs},
                                  {"value_groups", kPairs},
                                  {"key_widths", {8, 8}},
                                  {"value_widths", {4, 4}}});
  }
  std::ofstream(scene.path("apart.json")) << grouping;
  const std::string data = scene.path("ids.bin");
  const std::vector<std::uint16_t> ids(64, 1);
  std::ofstream(data, std::ios::binary)
      .write(reinterpret_cast<const char*>(ids.data()), 2 * std::ssize(ids));
  const auto converted = [&](const std::string& output, std::vector<std::string> more) {
    more.insert(more.end(), {"--calibration", data});
    return scene.convert(scene.path("apart.json"), output, more);
  };
  // 2 groups of 4 heads of 4 + 4 numbers: (8 + 4) · 2 of 32, or (8 + 8) · 2.
  for (const std::vector<std::string>& stored :
       {std::vector<std::string>{"--layout", "standard"}, {"--format", "gguf", "--no-tokenizer"}}) {
    const auto told = converted("filled.gguf", stored);
    CAPTURE(told.error);
    CHECK(told.exit_status == 0);
    CHECK_THAT(told.error, contains("filled up with zeros to 8 numbers a head: the cache takes "
                                    "1.0000 of the source's, the groups themselves 0.7500"));
    std::filesystem::remove_all(scene.path("filled.gguf"));
  }
  CHECK_THAT(converted("free", {"--layout", "free"}).error, !contains("filled up"));
}

TEST_CASE("keys and values grouped apart are refused by name of the layouts that hold them") {
  Scene scene;
  const std::string apart = scene.grouping("apart.json", {{kPairs, kUneven}, {kPairs, kPairs}});
  for (const char* layout : {"standard", "per-layer", "pad"}) {
    const auto refused = scene.convert(apart, "out", {"--layout", layout});
    CHECK(refused.exit_status == 2);
    CHECK_THAT(refused.error, contains("one of expand"));
    CHECK_THAT(refused.error, contains("grouped apart"));
    CHECK_FALSE(std::filesystem::exists(scene.path("out")));
  }
  CHECK(scene.convert(apart, "out").exit_status == 0);
}

TEST_CASE("the model card states source, method, command, sizes and the source's licence") {
  Scene scene;
  const std::string counts = scene.grouping("counts.json", {{kPairs}, {kOne}});
  REQUIRE(scene.convert(counts, "out").exit_status == 0);
  const std::string card = read_file(scene.path("out/README.md"));
  CHECK_THAT(card, contains("---\nlicense: apache-2.0\nlicense_link: LICENSE\nbase_model: tiny\n"));
  CHECK_THAT(card, contains("| key/value heads of a layer | 4 | 2, 1 |"));
  CHECK_THAT(card, contains("| KV cache, bytes per token in float32 | 256 | 96 |"));
  CHECK_THAT(card, contains("`regroup convert tiny --grouping counts.json --layout per-layer`"));
  CHECK_THAT(card, contains("not measured"));
  CHECK_THAT(card, !contains("not this one"));
  CHECK(read_file(scene.path("out/LICENSE")) == "the licence");
}

TEST_CASE("the model card of a run's grouping holds the losses that the run measured") {
  Scene scene;
  std::string ids;
  for (int i = 0; i < 2000; ++i) ids += std::string{static_cast<char>(i * i % 19), '\0'};
  std::ofstream(scene.path("ids.bin")) << ids;
  REQUIRE(run_regroup({"search", scene.path("tiny"), "-o", scene.path("run"), "--eval",
                       scene.path("ids.bin"), "--method", "neighbour", "--kv", "0.5", "-q"})
              .exit_status == 0);
  REQUIRE(run_regroup({"convert", scene.path("tiny"), "--run", scene.path("run"), "--kv", "0.5",
                       "-o", scene.path("out"), "-q"})
              .exit_status == 0);
  const json front = json::parse(read_file(scene.path("run/front.json")));
  const std::string card = read_file(scene.path("out/README.md"));
  char losses[80];
  const double source = front["source"]["loss"];
  const double loss = front["points"][0]["loss"];
  std::snprintf(losses, sizeof losses, "| %.4f | %.4f (%+.4f) |", source, loss, loss - source);
  CHECK_THAT(card, contains(losses));
  CHECK_THAT(card, contains("found by neighbour"));
  CHECK_THAT(card, contains("1984 tokens in windows of 16"));
}

TEST_CASE("the program runs what it converted with heads by layer, and does not group it further") {
  Scene scene;
  const std::string counts = scene.grouping("counts.json", {{kPairs}, {kOne}});
  const auto converted = scene.convert(counts, "out", {"--dtype", "bfloat16"});
  REQUIRE(converted.exit_status == 0);
  CHECK_THAT(converted.output, contains("KV cache 48 bytes per token in bfloat16"));
  CHECK_THAT(read_file(scene.path("out/README.md")),
             contains("| KV cache, bytes per token in bfloat16 | 128 | 48 |"));
  const auto inspected = run_regroup({"inspect", scene.path("out")});
  CHECK_THAT(inspected.output, contains("KV heads by layer 2 1"));
  CHECK_THAT(inspected.output, contains("bfloat16"));
  CHECK_THAT(inspected.output, contains("KV cache 48 bytes per token"));
  std::ofstream(scene.path("ids.bin")) << std::string(80, '\0');
  const auto measured =
      run_regroup({"eval", scene.path("out"), "--data", scene.path("ids.bin"), "--json"});
  CHECK(json::parse(measured.output)["config"]["kv_bytes_per_token"] == 48);
  const auto again =
      run_regroup({"convert", scene.path("out"), "--grouping", counts, "-o", scene.path("again")});
  CHECK(again.exit_status == 2);
  CHECK_THAT(again.error, contains("converted from"));
  const auto searched = run_regroup({"search", scene.path("out"), "-o", scene.path("run")});
  CHECK(searched.exit_status == 2);
  CHECK_THAT(searched.error, contains("converted from"));
}
