// convert --format gguf with the built program: the file, its summary and its refusals.

#include <nlohmann/json.hpp>

#include "tests/apps/program.hpp"
#include "tests/fixtures/language_model/text_model.hpp"
#include "tests/fixtures/tiny_llama.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/near.hpp"
#include "tests/support/temporary_directory.hpp"

using namespace regroup;
using namespace regroup::tests;

namespace {

/// A tiny Llama with a tokenizer and a grouping of its four heads in pairs.
class Scene {
 public:
  Scene() {
    write_text_model(scratch_.path() / "tiny");
    scratch_.write("pairs.json",
                   R"({"format": "regroup.grouping", "version": 1, "merge": "mean",
                       "layers": [{"index": 0, "key_groups": [[0, 3], [1, 2]]},
                                  {"index": 1, "key_groups": [[0, 1], [2, 3]]}],
                       "provenance": {"method": "by-hand"}})");
  }

  std::string path(const std::string& name) const { return (scratch_.path() / name).string(); }
  const TemporaryDirectory& scratch() const { return scratch_; }
  apps::ProcessResult convert(const std::string& output, const std::vector<std::string>& more = {},
                              const std::string& format = "gguf") const {
    std::vector<std::string> arguments = {
        "convert",  path("tiny"), "--grouping", path("pairs.json"),
        "--format", format,       "-o",         path(output)};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_regroup(arguments);
  }
  /// Exit code 2 and a message with `part`; nothing is written.
  void check_refusal(const std::string& part, const std::string& output,
                     const std::vector<std::string>& more = {},
                     const std::string& format = "gguf") const {
    const auto before = scratch_.entries();
    const auto result = convert(output, more, format);
    CHECK(result.exit_status == 2);
    CHECK_THAT(result.error, contains(part));
    CHECK(scratch_.entries() == before);
  }

 private:
  TemporaryDirectory scratch_;
};

}  // namespace

TEST_CASE("convert writes a GGUF file that says where it came from") {
  const Scene scene;
  const auto result = scene.convert("model.gguf", {"--dtype", "q8_0", "--json"});
  REQUIRE(result.exit_status == 0);
  const auto summary = nlohmann::json::parse(result.output);
  CHECK(summary["output"] == scene.path("model.gguf"));
  CHECK(summary["layout"] == "standard");
  CHECK(summary["kv_ratio"] == 0.5);
  const std::string bytes = read_file(scene.path("model.gguf"));
  CHECK(bytes.starts_with("GGUF"));
  for (const char* part : {"regroup.method", "by-hand", "regroup.grouping", "pairs.json",
                           "blk.1.attn_k.weight", "tokenizer.ggml.merges"}) {
    CHECK(bytes.find(part) != std::string::npos);
  }
  CHECK(bytes.find(scene.scratch().path().string()) == std::string::npos);
}

TEST_CASE("convert does not replace a GGUF file unless it may") {
  const Scene scene;
  REQUIRE(scene.convert("model.gguf", {"-q"}).exit_status == 0);
  const std::string first = read_file(scene.path("model.gguf"));
  scene.check_refusal("--force", "model.gguf");
  CHECK(read_file(scene.path("model.gguf")) == first);
  REQUIRE(scene.convert("model.gguf", {"-q", "--force", "--no-tokenizer"}).exit_status == 0);
  const std::string second = read_file(scene.path("model.gguf"));
  CHECK(second.find("no_vocab") != std::string::npos);
  CHECK(second.size() < first.size());
}

TEST_CASE("convert refuses what does not go with a GGUF file") {
  const Scene scene;
  scene.check_refusal("FILE.gguf", "model");
  scene.check_refusal("FILE.gguf", "tiny/model.safetensors", {"--force"});
  scene.check_refusal("--output", "absent/model.gguf");
  scene.check_refusal("--max-shard-size", "model.gguf", {"--max-shard-size", "1GB"});
  scene.check_refusal("float32, float16, bfloat16 or q8_0", "model.gguf", {"--dtype", "q4_0"});
  scene.check_refusal("hf or gguf", "model.gguf", {}, "onnx");
  scene.check_refusal("--no-tokenizer", "directory", {"--no-tokenizer"}, "hf");
  std::filesystem::remove(scene.path("tiny/tokenizer.json"));
  scene.check_refusal("no tokenizer", "model.gguf");
}

TEST_CASE("convert writes a model with a sliding window for a context within it") {
  const Scene scene;
  TinyLlama mistral = TinyLlama::mistral();
  mistral.kv_heads = 4;
  mistral.vocabulary = 263;
  mistral.write(scene.path("tiny"));
  scene.check_refusal("--context 3", "model.gguf");
  scene.check_refusal("from 1 to 16 tokens", "model.gguf", {"--context", "17"});
  REQUIRE(scene.convert("model.gguf", {"--context", "3", "-q"}).exit_status == 0);
  REQUIRE(scene.convert("directory", {"-q"}, "hf").exit_status == 0);
  const auto shown = run_regroup({"inspect", scene.path("model.gguf"), "--json"});
  REQUIRE(shown.exit_status == 0);
  CHECK(nlohmann::json::parse(shown.output)["context"] == 3);
  const std::string text = scene.scratch().write("a.txt", "the thing in the ring").string();
  const auto loss = [&](const std::string& model) {
    const auto result =
        run_regroup({"eval", scene.path(model), "--data", text, "--context", "3", "--json", "-q"});
    REQUIRE(result.exit_status == 0);
    return nlohmann::json::parse(result.output)["results"]["perplexity"]["loss,none"].get<double>();
  };
  CHECK(loss("model.gguf") == near(loss("directory"), 1e-5));
}
