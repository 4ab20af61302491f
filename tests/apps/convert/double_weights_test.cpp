// Checkpoints in float64: computed in float32, written as they are.

#include <algorithm>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "models/checkpoint/safetensors.hpp"
#include "models/checkpoint/safetensors_writer.hpp"
#include "tests/apps/program.hpp"
#include "tests/fixtures/tiny_llama.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/near.hpp"
#include "tests/support/temporary_directory.hpp"

using namespace regroup;
using namespace regroup::tests;
using nlohmann::json;
namespace fs = std::filesystem;

namespace {

using Doubles = std::map<std::string, std::vector<double>>;

/// A tiny model in float64, whose numbers no float holds, and the same rounded to float32.
class Scene {
 public:
  Scene() {
    const TinyLlama llama;
    llama.write(scratch_.path() / "floats");
    for (const auto& [name, values] : llama.tensors()) {
      for (const float value : values) doubles_[name].push_back(value * (1 + 1e-10));
    }
    write(doubles_);
    std::string ids;
    for (int i = 0; i < 200; ++i) ids += {static_cast<char>(i * i % 19), '\0'};
    scratch_.write("ids.bin", ids);
    scratch_.write("alone.json", grouping("[[0], [1], [2], [3]]"));
    scratch_.write("pairs.json", grouping("[[0, 3], [1, 2]]"));
  }

  std::string path(const std::string& name) const { return (scratch_.path() / name).string(); }
  const Doubles& doubles() const { return doubles_; }

  /// Writes the model "doubles".
  void write(const Doubles& tensors) const {
    const models::SafetensorsFile floats(scratch_.path() / "floats/model.safetensors");
    std::vector<models::PlannedTensor> plan;
    for (const auto& [name, values] : tensors) {
      plan.push_back(models::planned_copy(name, models::DType::kF64, floats.tensor(name).shape,
                                          std::as_bytes(std::span(values))));
    }
    json config = TinyLlama().config();
    config["torch_dtype"] = "float64";
    scratch_.write("doubles/config.json", config.dump());
    models::write_safetensors_file(scratch_.path() / "doubles/model.safetensors", plan);
  }

  double loss(const std::string& model, std::vector<std::string> more = {}) const {
    more.insert(more.begin(), {"eval", path(model), "--data", path("ids.bin"), "--json", "-q"});
    const auto result = run_regroup(more);
    INFO(result.error);
    REQUIRE(result.exit_status == 0);
    return json::parse(result.output)["results"]["perplexity"]["loss,none"];
  }
  void convert(const std::string& grouping, const std::string& out) const {
    const auto result = run_regroup(
        {"convert", path("doubles"), "--grouping", path(grouping), "-o", path(out), "-q"});
    INFO(result.error);
    REQUIRE(result.exit_status == 0);
  }

 private:
  static std::string grouping(const std::string& groups) {
    json document = {{"format", "regroup.grouping"}, {"version", 1}, {"merge", "mean"}};
    for (int i = 0; i < 2; ++i) {
      document["layers"].push_back({{"index", i}, {"key_groups", json::parse(groups)}});
    }
    return document.dump();
  }

  TemporaryDirectory scratch_;
  Doubles doubles_;
};

}  // namespace

TEST_CASE("a model in float64 is computed as its weights rounded to float32 are") {
  const Scene scene;
  CHECK(scene.loss("doubles") == scene.loss("floats"));
  CHECK(scene.loss("doubles", {"--grouping", scene.path("pairs.json")}) ==
        near(scene.loss("floats", {"--grouping", scene.path("pairs.json")}), 1e-6));
  const auto described = run_regroup({"inspect", scene.path("doubles"), "--json"});
  CHECK(json::parse(described.output)["dtype"] == "float64");
}

TEST_CASE("a conversion copies float64 exactly and writes merged tensors in it") {
  const Scene scene;
  scene.convert("alone.json", "same");
  const models::SafetensorsFile same(scene.path("same/model.safetensors"));
  for (const auto& [name, values] : scene.doubles()) {
    const models::TensorView& tensor = same.tensor(name);
    CHECK(tensor.dtype == models::DType::kF64);
    CHECK(std::ranges::equal(tensor.bytes, std::as_bytes(std::span(values))));
  }
  scene.convert("pairs.json", "merged");
  const models::SafetensorsFile merged(scene.path("merged/model.safetensors"));
  for (const models::TensorView& tensor : merged.tensors()) {
    CHECK(tensor.dtype == models::DType::kF64);
  }
  CHECK(merged.tensor("model.layers.0.self_attn.k_proj.weight").shape ==
        std::vector<std::int64_t>{8, 12});
  CHECK(json::parse(read_file(scene.path("merged/config.json")))["torch_dtype"] == "float64");
  CHECK(scene.loss("merged") ==
        near(scene.loss("doubles", {"--grouping", scene.path("pairs.json")}), 1e-6));
}

TEST_CASE("a weight that float32 does not reach is refused by name") {
  const Scene scene;
  for (const char* name : {"model.embed_tokens.weight", "model.layers.1.self_attn.v_proj.weight"}) {
    Doubles tensors = scene.doubles();
    tensors[name][5] = 1e300;
    scene.write(tensors);
    const auto refused =
        run_regroup({"eval", scene.path("doubles"), "--data", scene.path("ids.bin")});
    CHECK(refused.exit_status == 2);
    CHECK_THAT(refused.error, contains("float32 does not reach"));
    CHECK_THAT(refused.error, contains(name));
  }
}
