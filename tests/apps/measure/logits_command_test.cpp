// `regroup logits` with the built program.

#include <cmath>
#include <cstring>
#include <filesystem>

#include "models/checkpoint/safetensors.hpp"
#include "models/checkpoint/safetensors_writer.hpp"
#include "models/language_model/language_model.hpp"
#include "tests/apps/program.hpp"
#include "tests/fixtures/tiny_llama.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/shared_data.hpp"
#include "tests/support/temporary_directory.hpp"

using namespace regroup;
using namespace regroup::tests;
namespace fs = std::filesystem;

namespace {

template <class Id>
void write_ids(const fs::path& file, models::DType dtype, std::vector<std::int64_t> shape,
               const std::vector<Id>& ids) {
  const models::PlannedTensor tensor =
      models::planned_copy("input_ids", dtype, std::move(shape), std::as_bytes(std::span(ids)));
  models::write_safetensors_file(file, {&tensor, 1});
}

/// A tiny model and a place for files.
struct Scene {
  Scene() { TinyLlama().write(scratch.path() / "tiny"); }
  std::string path(const std::string& name) const { return (scratch.path() / name).string(); }
  apps::ProcessResult run(const std::vector<std::string>& more = {}) const {
    std::vector<std::string> all = {
        "logits", path("tiny"), "--input", path("in.safetensors"), "-o", path("out.safetensors")};
    all.insert(all.end(), more.begin(), more.end());
    return run_regroup(all);
  }
  void refuses(const std::string& part) const {
    const apps::ProcessResult result = run();
    CHECK(result.exit_status == 2);
    CHECK_THAT(result.error, contains(part));
    CHECK_FALSE(fs::exists(path("out.safetensors")));
  }

  TemporaryDirectory scratch;
};

double largest_difference(const models::TensorView& a, const models::TensorView& b) {
  const std::vector<float> x = models::to_floats(a);
  const std::vector<float> y = models::to_floats(b);
  REQUIRE(x.size() == y.size());
  double largest = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    largest = std::max<double>(largest, std::abs(x[i] - y[i]));
  }
  return largest;
}

}  // namespace

TEST_CASE("logits writes what the model gives for each sequence, for I64 and I32 ids") {
  const Scene scene;
  const std::vector<std::int64_t> wide = {1, 2, 3, 4, 5, 19};
  write_ids(scene.path("in.safetensors"), models::DType::kI64, {2, 3}, wide);
  REQUIRE(scene.run({"-j", "2"}).exit_status == 0);
  const models::LanguageModel model(
      std::make_shared<const models::PretrainedModel>(models::open_model(scene.path("tiny"))),
      models::ComputeOptions{});
  const auto written = read_file(scene.path("out.safetensors"));
  {
    const models::SafetensorsFile out(scene.path("out.safetensors"));
    CHECK(out.tensor("logits").shape == std::vector<std::int64_t>{2, 3, 20});
    const std::vector<float> found = models::to_floats(out.tensor("logits"));
    const std::vector<std::int32_t> second = {4, 5, 19};
    CHECK(std::vector(found.begin() + 60, found.end()) == model.logits(second));
  }
  const std::vector<std::int32_t> narrow = {1, 2, 3, 4, 5, 19};
  write_ids(scene.path("in.safetensors"), models::DType::kI32, {2, 3}, narrow);
  REQUIRE(scene.run().exit_status == 0);
  CHECK(read_file(scene.path("out.safetensors")) == written);
}

TEST_CASE("logits refuses inputs that the model cannot take, and writes nothing") {
  const Scene scene;
  const std::vector<std::int64_t> ids = {1, 2, 20, 4};
  write_ids(scene.path("in.safetensors"), models::DType::kI64, {1, 4}, ids);
  scene.refuses("vocabulary");
  write_ids(scene.path("in.safetensors"), models::DType::kI64, {4}, ids);
  scene.refuses("shape");
  const std::vector<std::int64_t> many(17, 1);
  write_ids(scene.path("in.safetensors"), models::DType::kI64, {1, 17}, many);
  scene.refuses("16 tokens");
  const std::vector<float> real = {1, 2};
  write_ids(scene.path("in.safetensors"), models::DType::kF32, {1, 2}, real);
  scene.refuses("I64 or I32");
}

TEST_CASE("logits equal those of transformers, through the program") {
  REGROUP_NEEDS_SHARED_DATA("goldens/qwen2");
  const TemporaryDirectory scratch;
  const std::string out = (scratch.path() / "out.safetensors").string();
  for (const char* family :
       {"llama-rope3", "mistral", "qwen3", "gpt2", "opt", "gpt-neox", "bert", "vit", "t5"}) {
    CAPTURE(family);
    const fs::path directory = shared_data(std::string("goldens/") + family);
    const std::string golden = (directory / "golden.safetensors").string();
    REQUIRE(run_regroup({"logits", directory.string(), "--input", golden, "-o", out}).exit_status ==
            0);
    CHECK(models::SafetensorsFile(out).tensor("logits").shape ==
          models::SafetensorsFile(golden).tensor("logits").shape);
    CHECK(largest_difference(models::SafetensorsFile(out).tensor("logits"),
                             models::SafetensorsFile(golden).tensor("logits")) < 1e-4);
  }
}
