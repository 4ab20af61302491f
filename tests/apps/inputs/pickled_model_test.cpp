// Commands on a checkpoint whose weights are in pytorch_model.bin.

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "models/checkpoint/checkpoint.hpp"
#include "tests/apps/program.hpp"
#include "tests/fixtures/pickled_checkpoint.hpp"
#include "tests/fixtures/tiny_llama.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temporary_directory.hpp"

using namespace regroup;
using namespace regroup::tests;
using nlohmann::json;
namespace fs = std::filesystem;

namespace {

/// One tiny model twice: `plain` in model.safetensors, `pickled` in pytorch_model.bin.
class Scene {
 public:
  Scene() {
    TinyLlama shape;
    shape.dtype = models::DType::kBF16;
    shape.write(path("plain"));
    shape.write(path("pickled"));
    pickle_weights(path("pickled"));
    std::string ids;
    for (int i = 0; i < 500; ++i) ids += std::string{static_cast<char>(i * i % 19), '\0'};
    scratch_.write("ids.bin", ids);
  }

  std::string path(const std::string& name) const { return (scratch_.path() / name).string(); }

  void run(const std::vector<std::string>& arguments) const {
    CAPTURE(arguments);
    REQUIRE(run_regroup(arguments).exit_status == 0);
  }

  std::vector<std::string> search(const std::string& model, const std::string& run) const {
    return {"search", path(model),    "-o", path(run), "--eval", path("ids.bin"),
            "-q",     "--population", "6",  "--kv",    "0.5",    "--generations",
            "2",      "--measure",    "1"};
  }

  double loss(const std::string& model) const {
    run({"eval", path(model), "--data", path("ids.bin"), "-o", path("result.json"), "-q"});
    return json::parse(read_file(path("result.json")))["results"]["perplexity"]["loss,none"];
  }

 private:
  TemporaryDirectory scratch_;
};

}  // namespace

TEST_CASE("a model in pytorch_model.bin is inspected, evaluated and searched like in safetensors") {
  const Scene scene;
  const apps::ProcessResult inspected = run_regroup({"inspect", scene.path("pickled")});
  CHECK(inspected.exit_status == 0);
  CHECK_THAT(inspected.output, contains("LlamaForCausalLM"));
  CHECK(scene.loss("pickled") == scene.loss("plain"));
  for (const char* model : {"plain", "pickled"})
    scene.run(scene.search(model, model + std::string("-run")));
  CHECK(read_file(scene.path("pickled-run/front.csv")) ==
        read_file(scene.path("plain-run/front.csv")));
}

TEST_CASE("a model in pytorch_model.bin is converted to safetensors") {
  const Scene scene;
  scene.run(scene.search("pickled", "run"));
  scene.run({"convert", scene.path("pickled"), "--run", scene.path("run"), "--kv", "0.5", "-o",
             scene.path("converted"), "-q"});
  CHECK(fs::exists(scene.path("converted/model.safetensors")));
  CHECK_FALSE(fs::exists(scene.path("converted/pytorch_model.bin")));
  const models::Checkpoint converted(scene.path("converted"));
  const models::Checkpoint source(scene.path("pickled"));
  CHECK(converted.names() == source.names());
  CHECK(converted.tensor("model.layers.0.self_attn.bias").dtype == models::DType::kU8);
}

TEST_CASE("a broken pytorch_model.bin is refused with its name") {
  const Scene scene;
  const std::string file = scene.path("pickled/pytorch_model.bin");
  fs::resize_file(file, fs::file_size(file) - 30);
  const apps::ProcessResult result = run_regroup({"inspect", scene.path("pickled")});
  CHECK(result.exit_status == 2);
  CHECK_THAT(result.error, contains(file));
  CHECK(count_lines(result.error) <= 4);
}
