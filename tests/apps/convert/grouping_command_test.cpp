#include <filesystem>
#include <nlohmann/json.hpp>

#include "tests/apps/program.hpp"
#include "tests/fixtures/tiny_llama.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temporary_directory.hpp"

using namespace regroup;
using namespace regroup::tests;
using nlohmann::json;

namespace {

/// A tiny model of two layers with four heads, and a grouping of it.
class Scene {
 public:
  Scene() {
    TinyLlama().write(scratch_.path() / "model");
    scratch_.write("g.json", grouping().dump());
  }

  static json grouping() {
    return {{"format", "regroup.grouping"},
            {"version", 1},
            {"layers",
             {{{"index", 0}, {"key_groups", {{0, 3}, {1, 2}}}},
              {{"index", 1}, {"key_groups", {{0, 1, 2, 3}}}}}}};
  }
  std::string path(const std::string& name) const { return (scratch_.path() / name).string(); }
  const TemporaryDirectory& scratch() const { return scratch_; }
  json json_of(const std::string& name) const { return json::parse(read_file(path(name))); }

  apps::ProcessResult run(const std::string& direction, const std::string& input,
                          const std::string& format, const std::string& output,
                          const std::vector<std::string>& more = {}) const {
    std::vector<std::string> arguments = {"grouping", direction, path(input), "--format",
                                          format,     "-o",      path(output)};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_regroup(arguments);
  }
  void refuses(const apps::ProcessResult& result, const std::string& part) const {
    CHECK(result.exit_status == 2);
    CHECK_THAT(result.error, contains(part));
    CHECK(count_lines(result.error) <= 4);
    CHECK(result.output.empty());
    CHECK_FALSE(std::filesystem::exists(path("out")));
  }

 private:
  TemporaryDirectory scratch_;
};

}  // namespace

TEST_CASE("a grouping leaves in every format and comes back") {
  const Scene scene;
  for (const std::string format : {"chai", "chai-layers", "csv", "block-configs"}) {
    CAPTURE(format);
    const auto written =
        scene.run("export", "g.json", format, format, {"--model", scene.path("model"), "-q"});
    CHECK(written.exit_status == 0);
    CHECK(written.error.empty());
    CHECK_THAT(written.output, contains("2 layers of 4 KV heads, 0.3750 of them are distinct"));
    CHECK(scene.run("import", format, format, "back.json", {"--model", scene.path("model")})
              .exit_status == 0);
    const json first = scene.json_of("back.json").at("layers").at(0);
    const json neighbours = {{0, 1}, {2, 3}};
    const json members = Scene::grouping()["layers"][0]["key_groups"];
    CHECK(first.at("key_groups") == (format == "block-configs" ? neighbours : members));
    CHECK(first.at("value_groups") == first.at("key_groups"));
  }
}

TEST_CASE("an imported grouping names its model and the merge that was asked for") {
  const Scene scene;
  scene.scratch().write("chai.json", "[[0, 1, 1, 0], [[0, 1, 2, 3]]]");
  CHECK(scene.run("import", "chai.json", "chai", "bare.json").exit_status == 0);
  const json bare = scene.json_of("bare.json");
  CHECK(bare.size() == 3);
  CHECK_FALSE(bare.contains("merge"));
  const auto result = scene.run("import", "chai.json", "chai", "full.json",
                                {"--model", scene.path("model"), "--merge", "first", "--json"});
  const json summary = json::parse(result.output);
  CHECK(summary == json{{"output", scene.path("full.json")},
                        {"format", "chai"},
                        {"layers", 2},
                        {"kv_heads", 4},
                        {"kv_ratio", 0.375}});
  const json full = scene.json_of("full.json");
  CHECK(full.at("merge") == "first");
  CHECK(full.at("model").at("name") == "model");
  CHECK(full.at("kv").at("ratio") == 0.375);
  CHECK(full.at("layers") == bare.at("layers"));
  // What was written is a grouping of the model: an export of it reads it with all its checks.
  CHECK(scene.run("export", "full.json", "chai", "again.json", {"--model", scene.path("model")})
            .exit_status == 0);
}

TEST_CASE("an export that loses members says so") {
  const Scene scene;
  const std::vector<std::string> model = {"--model", scene.path("model")};
  CHECK_THAT(scene.run("export", "g.json", "block-configs", "b.json", model).error,
             contains("neighbours"));
  scene.run("import", "b.json", "block-configs", "back.json", model);
  CHECK(scene.run("export", "back.json", "block-configs", "b2.json", model).error.empty());
}

TEST_CASE("exports and imports that cannot be are refused and leave nothing") {
  const Scene scene;
  const std::vector<std::string> model = {"--model", scene.path("model")};
  scene.refuses(scene.run("export", "g.json", "xml", "out"), "chai, chai-layers");
  scene.refuses(scene.run("export", "absent.json", "chai", "out"), "absent.json");
  scene.refuses(scene.run("export", "g.json", "block-configs", "out"), "query heads");
  scene.scratch().write("three.csv", "L0H0,0\nL0H1,0\nL0H2,0\n");
  scene.refuses(scene.run("import", "three.csv", "csv", "out", model), "number of layers");
  scene.refuses(scene.run("import", "three.csv", "csv", "out", {"--merge", "magic"}),
                "mean, first");
  scene.refuses(scene.run("import", "g.json", "chai", "out"), "list of layers");
  scene.scratch().write("full/file", "");
  const auto result = scene.run("export", "g.json", "chai-layers", "full");
  CHECK(result.exit_status == 2);
  CHECK_THAT(result.error, contains("not empty"));
  CHECK(run_regroup({"grouping"}).exit_status == 2);
  CHECK(run_regroup({"grouping", "export", "--help"}).exit_status == 0);
}
