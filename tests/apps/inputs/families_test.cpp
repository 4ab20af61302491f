// A search, from data to a converted checkpoint, of every kind of model, with the built program.

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>

#include "models/checkpoint/safetensors_writer.hpp"
#include "tests/apps/program.hpp"
#include "tests/fixtures/random_checkpoint.hpp"
#include "tests/fixtures/tiny_family.hpp"
#include "tests/fixtures/tiny_tokenizer.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/near.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/shared_data.hpp"
#include "tests/support/temporary_directory.hpp"

using namespace regroup;
using namespace regroup::tests;
namespace fs = std::filesystem;
using nlohmann::json;

namespace {

/// A tiny model with data that it reads.
struct Scene {
  explicit Scene(std::string_view architecture) {
    const json config = tiny_config(architecture);
    write_checkpoint(scratch.path() / "model", config, random_values(config, 3));
  }

  std::string path(const std::string& name) const { return (scratch.path() / name).string(); }
  apps::ProcessResult run(const std::string& command, const std::vector<std::string>& more) const {
    std::vector<std::string> all = {command, path("model")};
    all.insert(all.end(), more.begin(), more.end());
    return run_regroup(all);
  }
  /// Ids as a .bin file, the same few over and over in another order each time.
  void write_ids(const std::string& name, int count, int step) const {
    std::string bytes;
    for (int i = 0; i < count; ++i) bytes += {static_cast<char>((i * step + i / 7) % 20), '\0'};
    scratch.write(name, bytes);
  }

  TemporaryDirectory scratch;
};

/// Searches, looks at the front, checks one grouping by `eval`, converts.
void check_run(const Scene& scene, const std::vector<std::string>& data, const std::string& eval,
               bool has_accuracy) {
  std::vector<std::string> search = {"-o", scene.path("run"), "--kv", "0.5", "-q"};
  search.insert(search.end(), data.begin(), data.end());
  const apps::ProcessResult found = scene.run("search", search);
  INFO(found.error);
  REQUIRE(found.exit_status == 0);
  const json front = json::parse(read_file(scene.path("run/front.json")));
  const json& point = front.at("points").at(0);
  CHECK(point.at("series") == "search");
  CHECK(point.at("kl") > 0);
  CHECK(point.contains("accuracy") == has_accuracy);
  CHECK(front.at("source").contains("accuracy") == has_accuracy);
  const std::string grouping = scene.path("run/" + point.at("grouping").get<std::string>());
  const apps::ProcessResult measured =
      scene.run("eval", {"--grouping", grouping, "--task", "divergence", "--data", eval, "--json"});
  REQUIRE(measured.exit_status == 0);
  const double kl = json::parse(measured.output).at("results").at("divergence").at("kl,none");
  CHECK(kl == Approx(point.at("kl").get<double>()).epsilon(1e-9));
  REQUIRE(
      scene.run("convert", {"--grouping", grouping, "-o", scene.path("converted")}).exit_status ==
      0);
  CHECK(run_regroup({"inspect", scene.path("converted")}).exit_status == 0);
  CHECK(read_file(scene.path("run/report.html")).find("</html>") != std::string::npos);
}

/// Every third decoder, from `first` on: three test cases, which run side by side.
void check_decoders(int first) {
  int place = 0;
  for (const std::string_view architecture : tiny_families()) {
    const bool is_decoder =
        architecture.ends_with("ForCausalLM") || architecture == "GPT2LMHeadModel";
    if (!is_decoder || place++ % 3 != first) continue;
    CAPTURE(architecture);
    const Scene scene(architecture);
    // Two windows at least; Bloom has no longest one of its own.
    const json found = json::parse(scene.run("inspect", {"--json"}).output);
    const int window = std::min(found.at("context").get<int>(), 2048);
    scene.write_ids("calibration.bin", std::max(400, 2 * window + 1), 3);
    scene.write_ids("eval.bin", std::max(200, 2 * window + 1), 7);
    check_run(scene,
              {"--calibration", scene.path("calibration.bin"), "--eval", scene.path("eval.bin")},
              scene.path("eval.bin"), false);
  }
}

}  // namespace

TEST_CASE("decoders of every family are searched, measured and converted, 1 of 3") {
  check_decoders(0);
}
TEST_CASE("decoders of every family are searched, measured and converted, 2 of 3") {
  check_decoders(1);
}
TEST_CASE("decoders of every family are searched, measured and converted, 3 of 3") {
  check_decoders(2);
}

TEST_CASE("a model of masked tokens or without a head is measured by its source") {
  for (const char* architecture :
       {"BertForMaskedLM", "RobertaForMaskedLM", "DistilBertForMaskedLM", "BertModel",
        "RobertaModel", "DistilBertModel", "LlamaModel", "GPT2Model"}) {
    CAPTURE(architecture);
    const Scene scene(architecture);
    scene.write_ids("calibration.bin", 400, 3);
    scene.write_ids("eval.bin", 200, 7);
    check_run(scene,
              {"--calibration", scene.path("calibration.bin"), "--eval", scene.path("eval.bin")},
              scene.path("eval.bin"), false);
    const apps::ProcessResult refused = scene.run("eval", {"--data", scene.path("eval.bin")});
    CHECK(refused.exit_status == 2);
    CHECK_THAT(refused.error, contains("divergence"));
    CHECK_THAT(read_file(scene.path("converted/README.md")), !contains("text-generation"));
  }
}

TEST_CASE("a speech model is searched on features of sounds and their targets") {
  const Scene scene("WhisperForConditionalGeneration");
  const auto write = [&](const std::string& name, int seed) {
    constexpr std::int64_t kSounds = 6;
    std::vector<float> features(kSounds * 5 * 12);
    for (std::size_t i = 0; i < features.size(); ++i) {
      features[i] = std::sin(static_cast<float>(static_cast<int>(i) * (seed + 2)));
    }
    std::vector<std::int64_t> labels;
    for (int i = 0; i < kSounds * 4; ++i) {
      labels.push_back(i % 4 == 3 && i % 8 == 3 ? -100 : (i * seed) % 20);
    }
    const std::vector tensors = {
        models::planned_copy("input_features", models::DType::kF32, {kSounds, 5, 12},
                             std::as_bytes(std::span(features))),
        models::planned_copy("labels", models::DType::kI64, {kSounds, 4},
                             std::as_bytes(std::span(labels)))};
    models::write_safetensors_file(scene.scratch.path() / name, tensors);
  };
  write("calibration.safetensors", 3);
  write("eval.safetensors", 7);
  check_run(scene,
            {"--calibration", scene.path("calibration.safetensors"), "--eval",
             scene.path("eval.safetensors")},
            scene.path("eval.safetensors"), false);
}

TEST_CASE("the families are listed, with what limits merging and the keys that each reads") {
  const apps::ProcessResult table = run_regroup({"families"});
  CHECK(table.exit_status == 0);
  CHECK_THAT(table.output, contains("Olmo2ForCausalLM"));
  CHECK_THAT(table.output, contains("norm runs over all heads"));
  const json listed = json::parse(run_regroup({"families", "--json"}).output).at("families");
  CHECK(listed.size() == 39);
  for (const json& family : listed) {
    if (family.at("architecture") != "BloomForCausalLM") continue;
    CHECK(family.at("positions") == "ALiBi");
    CHECK(family.at("stores_fewer_kv_heads") == false);
    CHECK(family.at("config_keys").at("read").at("n_layer") == 2);
  }
}

TEST_CASE("keys of config.json that nothing is known of are named in one warning") {
  const Scene scene("LlamaForCausalLM");
  json config = tiny_config("LlamaForCausalLM");
  config["attention_sink"] = 4;
  config["rope_magic"] = true;
  scene.scratch.write("model/config.json", config.dump());
  const apps::ProcessResult found = run_regroup({"inspect", scene.path("model")});
  CHECK(found.exit_status == 0);
  CHECK_THAT(found.error, contains("attention_sink, rope_magic"));
  scene.scratch.write("model/config.json", tiny_config("LlamaForCausalLM").dump());
  CHECK(run_regroup({"inspect", scene.path("model")}).error.empty());
}

TEST_CASE("an encoder-decoder is searched on pairs of texts, its layers by name") {
  const std::string architecture =
      GENERATE(as<std::string>{}, "T5ForConditionalGeneration", "BartForConditionalGeneration",
               "M2M100ForConditionalGeneration", "MarianMTModel");
  CAPTURE(architecture);
  json config = tiny_config(architecture);
  config["vocab_size"] = 300;
  config["eos_token_id"] = 1;
  config["max_position_embeddings"] = 64;
  const Scene scene(architecture);
  write_checkpoint(scene.scratch.path() / "model", config, random_values(config, 3));
  scene.scratch.write("model/tokenizer.json", tiny_bpe().dump());
  const auto pairs = [](int first) {
    std::string text;
    for (int i = first; i < first + 12; ++i) {
      text += json{{"source", "the " + std::to_string(i * 37) + " in"},
                   {"target", std::string(static_cast<std::size_t>(1 + i % 4), 'x') + " the"}}
                  .dump() +
              "\n";
    }
    return text;
  };
  scene.scratch.write("calibration.jsonl", pairs(0));
  scene.scratch.write("eval.jsonl", pairs(50));
  check_run(scene,
            {"--calibration", scene.path("calibration.jsonl"), "--eval", scene.path("eval.jsonl")},
            scene.path("eval.jsonl"), false);
  const json grouping =
      json::parse(read_file(scene.path("run/groupings/search-exact-kv0.5000.json")));
  CHECK(grouping.at("layers").size() == 3);
  CHECK(grouping.at("layers")[2].at("name") == "decoder.0.cross");
}

namespace {

/// Images in folders: three classes to calibrate on and to report on.
void write_images(const Scene& scene) {
  const fs::path goldens = source_folder() / "tests/models/images/image_goldens";
  const auto copy = [&](const char* name, const std::string& to) {
    fs::create_directories(scene.scratch.path() / to);
    fs::copy_file(goldens / name, scene.scratch.path() / to / name);
  };
  for (const char* name : {"rgb8.png", "grey8.png", "colour444.jpg"}) copy(name, "calibration/cat");
  for (const char* name : {"palette8.png", "waves.png"}) copy(name, "calibration/dog");
  for (const char* name : {"tall.png", "rgba8.png"}) copy(name, "eval/owl");
  for (const char* name : {"grey16.png", "colour420.jpg"}) copy(name, "eval/cat");
}

}  // namespace

TEST_CASE("an image model without a head is searched on images of any classes") {
  const std::string architecture = GENERATE(as<std::string>{}, "ViTModel", "Dinov2Model");
  CAPTURE(architecture);
  const Scene scene(architecture);
  write_images(scene);
  // One more than the classes that a config without names has.
  fs::create_directories(scene.scratch.path() / "calibration/owl");
  fs::copy_file(scene.scratch.path() / "eval/owl/tall.png",
                scene.scratch.path() / "calibration/owl/tall.png");
  check_run(scene, {"--calibration", scene.path("calibration"), "--eval", scene.path("eval")},
            scene.path("eval"), false);
  // A calibration file has the classes of its images.
  const apps::ProcessResult calibrated =
      scene.run("calibrate",
                {"--data", scene.path("calibration"), "-o", scene.path("statistics.safetensors")});
  REQUIRE(calibrated.exit_status == 0);
  const apps::ProcessResult searched =
      scene.run("search", {"--calibration", scene.path("statistics.safetensors"), "--eval",
                           scene.path("eval"), "--kv", "0.5", "-o", scene.path("again"), "-q"});
  INFO(searched.error);
  CHECK(searched.exit_status == 0);
  const apps::ProcessResult refused =
      scene.run("eval", {"--task", "image-classification", "--data", scene.path("eval")});
  CHECK(refused.exit_status == 2);
  CHECK_THAT(refused.error, contains("divergence"));
}

TEST_CASE("an image model is searched on folders of images, with its accuracy") {
  const std::string architecture =
      GENERATE(as<std::string>{}, "ViTForImageClassification", "Dinov2ForImageClassification");
  CAPTURE(architecture);
  const Scene scene(architecture);
  write_images(scene);
  check_run(scene, {"--calibration", scene.path("calibration"), "--eval", scene.path("eval")},
            scene.path("eval"), true);
  const json record = json::parse(read_file(scene.path("run/run.json")));
  CHECK(record.at("data").at("eval").at("images") == 4);
  CHECK_THAT(read_file(scene.path("run/report.svg")), contains("accuracy"));
}

TEST_CASE("what a model cannot be measured on is refused by kind of data") {
  const Scene vit("ViTForImageClassification");
  const apps::ProcessResult no_data = vit.run("search", {"-o", vit.path("run")});
  CHECK(no_data.exit_status == 2);
  CHECK_THAT(no_data.error, contains("--eval"));
  const apps::ProcessResult text =
      vit.run("eval", {"--task", "image-classification", "--data", vit.path("absent")});
  CHECK(text.exit_status == 2);
  const apps::ProcessResult task = vit.run("eval", {"--task", "last-word", "--data", "x.jsonl"});
  CHECK(task.exit_status == 2);
  CHECK_THAT(task.error, contains("image-classification"));
  const Scene qwen3("Qwen3ForCausalLM");
  qwen3.write_ids("a.bin", 200, 3);
  const apps::ProcessResult refit = qwen3.run(
      "search", {"-o", qwen3.path("run"), "--refit", "both", "--calibration", qwen3.path("a.bin")});
  CHECK(refit.exit_status == 2);
  CHECK_THAT(refit.error, contains("norm"));
}

TEST_CASE("vit-tiny finds its reference accuracy") {
  REGROUP_NEEDS_SHARED_DATA("checkpoints/vit-tiny-tinyimagenet");
  const std::string model = shared_data("checkpoints/vit-tiny-tinyimagenet").string();
  const std::string images = shared_data("images/tiny-imagenet-val2k").string();
  const apps::ProcessResult result = run_regroup(
      {"eval", model, "--task", "image-classification", "--data", images, "--json", "-j", "2"});
  REQUIRE(result.exit_status == 0);
  const json found = json::parse(result.output).at("results").at("image-classification");
  // Counts of 2000 images.
  CHECK(found.at("acc,none").get<double>() == near(0.698, 1e-9));
  CHECK(found.at("acc5,none").get<double>() == near(0.873, 1e-9));
}

TEST_CASE("groupings of vit-tiny that a search on images finds do better than neighbours") {
  REGROUP_NEEDS_SHARED_DATA("checkpoints/vit-tiny-tinyimagenet");
  const TemporaryDirectory scratch;
  const std::string model = shared_data("checkpoints/vit-tiny-tinyimagenet").string();
  // Of every tenth class one image to calibrate on, and two others to report on.
  std::vector<fs::path> classes;
  for (const auto& entry : fs::directory_iterator(shared_data("images/tiny-imagenet-val2k"))) {
    classes.push_back(entry.path());
  }
  std::ranges::sort(classes);
  REQUIRE(classes.size() == 200);
  for (std::size_t c = 0; c < classes.size(); c += 10) {
    std::vector<fs::path> images;
    for (const auto& entry : fs::directory_iterator(classes[c])) images.push_back(entry.path());
    std::ranges::sort(images);
    REQUIRE(images.size() > 3);
    for (std::size_t i = 0; i < 3; ++i) {
      const fs::path folder =
          scratch.path() / (i == 0 ? "calibration" : "eval") / classes[c].filename();
      fs::create_directories(folder);
      fs::copy_file(images[i], folder / images[i].filename());
    }
  }
  const std::string run = (scratch.path() / "run").string();
  const apps::ProcessResult result = run_regroup(
      {"search", model, "-o", run, "--calibration", (scratch.path() / "calibration").string(),
       "--eval", (scratch.path() / "eval").string(), "--kv", "0.67", "--merge", "mean", "-q"});
  INFO(result.error);
  REQUIRE(result.exit_status == 0);
  const json front = json::parse(read_file(fs::path(run) / "front.json"));
  CHECK(front.at("certificate").at("fraction") == 1.0);
  std::map<std::string, json> first;  // of each series
  for (const json& point : front.at("points")) first.emplace(point.at("series"), point);
  const json& own = first.at("search");
  CHECK(own.at("method") == "exact");
  CHECK(own.at("kv_ratio") <= 0.67);
  CHECK(own.at("kv_ratio") > 0.6);
  // All merge by the mean: only the choice of the groups makes a difference.
  for (const char* baseline : {"neighbour", "random"}) {
    CAPTURE(baseline);
    const json& other = first.at(baseline);
    CHECK(other.at("merge") == "mean");
    CHECK(other.at("kv_ratio") <= 0.67);
    CHECK(own.at("fisher") < 0.9 * other.at("fisher").get<double>());
    CHECK(own.at("kl") < other.at("kl"));
  }
  const apps::ProcessResult measured =
      run_regroup({"eval", model, "--task", "image-classification", "--grouping",
                   run + "/" + own.at("grouping").get<std::string>(), "--data",
                   (scratch.path() / "eval").string(), "--json"});
  REQUIRE(measured.exit_status == 0);
  CHECK(json::parse(measured.output).at("results").at("image-classification").at("acc,none") ==
        own.at("accuracy"));
}
