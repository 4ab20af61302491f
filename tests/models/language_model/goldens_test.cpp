#include <cmath>
#include <cstring>

#include "models/checkpoint/safetensors.hpp"
#include "models/files/json_file.hpp"
#include "models/language_model/language_model.hpp"
#include "models/merge/operators/merge_table.hpp"
#include "models/text/token_data.hpp"
#include "search/base/parallel.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/near.hpp"
#include "tests/support/shared_data.hpp"

using namespace regroup;
using namespace regroup::models;
using namespace regroup::tests;

namespace {

/// Reference logits and inputs that transformers wrote, one forward pass for each row.
struct Golden {
  explicit Golden(const std::filesystem::path& directory) : file(directory / "golden.safetensors") {
    read_numbers("pixel_values", &ForwardInput::pixels);
    read_numbers("input_features", &ForwardInput::features);
    read_ids("input_ids", &ForwardInput::ids);
    read_ids("decoder_input_ids", &ForwardInput::decoder_ids);
  }

  void read_numbers(const char* name, std::vector<float> ForwardInput::*member) {
    const TensorView* view = file.find(name);
    if (view == nullptr) return;
    const std::vector<float> all = to_floats(*view);
    inputs.resize(static_cast<std::size_t>(view->shape[0]));
    const std::size_t step = all.size() / inputs.size();
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const auto own = std::span(all).subspan(i * step, step);
      (inputs[i].*member).assign(own.begin(), own.end());
    }
  }

  void read_ids(const char* name, std::vector<std::int32_t> ForwardInput::*member) {
    const TensorView* view = file.find(name);
    if (view == nullptr) return;
    inputs.resize(static_cast<std::size_t>(view->shape[0]));
    const auto length = static_cast<std::size_t>(view->shape[1]);
    for (std::size_t i = 0; i < inputs.size() * length; ++i) {
      std::int64_t id = 0;
      std::memcpy(&id, view->bytes.data() + i * sizeof id, sizeof id);
      (inputs[i / length].*member).push_back(static_cast<std::int32_t>(id));
    }
  }

  SafetensorsFile file;
  std::vector<ForwardInput> inputs;
};

double largest_difference(const LanguageModel& model, const Golden& golden,
                          const std::string& tensor) {
  const std::vector<float> expected = to_floats(golden.file.tensor(tensor));
  double largest = 0;
  std::size_t at = 0;
  for (const ForwardInput& input : golden.inputs) {
    for (const float logit : model.logits(input)) {
      largest = std::max<double>(largest, std::abs(logit - expected.at(at++)));
    }
  }
  CHECK(at == expected.size());
  return largest;
}

search::Grouping golden_grouping(const std::filesystem::path& directory) {
  const nlohmann::json json = read_json_file(directory / "grouped.json");
  const int heads = json.at("kv_heads");
  search::Grouping grouping;
  for (std::size_t i = 0; i < json.at("attentions"); ++i) {
    grouping.layers.push_back({search::Partition::from_groups(heads, json.at("key_groups")[i]),
                               search::Partition::from_groups(heads, json.at("value_groups")[i])});
  }
  return grouping;
}

double loss_on(const char* checkpoint, const char* text, const ComputeOptions& options = {}) {
  const auto pretrained =
      std::make_shared<const PretrainedModel>(open_model(shared_data(checkpoint)));
  const TokenData data = read_token_data(shared_data(text), *pretrained);
  const auto windows = Windows::of_stream(data.ids, pretrained->config.context, text);
  search::SilentProgress silent;
  search::set_threads(2);
  const auto losses = LanguageModel(pretrained, options).window_losses(windows, {}, silent);
  search::set_threads(1);
  double sum = 0;
  for (const double loss : losses) sum += loss;
  return sum / static_cast<double>(losses.size());
}

}  // namespace

// But for Falcon, whose golden is of an attention that adds ALiBi twice: tests/interop compares it
// with the one that transformers uses unless told otherwise.
TEST_CASE("logits equal those of transformers, source and grouped") {
  REGROUP_NEEDS_SHARED_DATA("goldens/llama-mha");
  const std::string family = GENERATE(
      as<std::string>{}, "llama-mha", "llama-gqa", "llama-rope3", "llama-bias", "mistral", "qwen2",
      "qwen3", "qwen3-moe", "mixtral", "gemma", "gemma2", "gemma3", "phi", "phi3",
      "phi3-gqa-partial", "olmo", "olmo2", "olmoe", "granite", "smollm3", "stablelm", "starcoder2",
      "gpt2", "gptj", "gpt-neo", "gpt-neox", "opt", "bloom", "mpt", "bert", "bert-no-head",
      "roberta", "distilbert", "vit", "dinov2", "t5", "bart", "m2m100", "marian", "whisper");
  CAPTURE(family);
  const auto directory = shared_data("goldens/" + family);
  const LanguageModel model(std::make_shared<const PretrainedModel>(open_model(directory)),
                            ComputeOptions{});
  const Golden golden(directory);
  const std::string said = golden.file.find("logits") != nullptr ? "logits" : "hidden";
  CHECK(largest_difference(model, golden, said) < 1e-4);
  const LanguageModel grouped = model.grouped(golden_grouping(directory), find_merge("mean"));
  CHECK(largest_difference(grouped, golden, "grouped_" + said) < 1e-4);
}

TEST_CASE("checkpoints as people have them give what transformers makes of them") {
  REGROUP_NEEDS_SHARED_DATA("troubles/bert-gamma-beta");
  const std::string name = GENERATE(as<std::string>{}, "bert-defaults-left-out", "bert-gamma-beta",
                                    "gpt2-unscaled-attention", "llama-only-the-head-stored",
                                    "llama-theta-at-the-top", "llama-tied-but-head-differs");
  CAPTURE(name);
  const auto directory = shared_data("troubles/" + name);
  const LanguageModel model(std::make_shared<const PretrainedModel>(open_model(directory)),
                            ComputeOptions{});
  CHECK(largest_difference(model, Golden(directory), "logits") < 1e-4);
}

TEST_CASE("books-llama has its reference loss") {
  REGROUP_NEEDS_SHARED_DATA("checkpoints/books-llama");
  CHECK(loss_on("checkpoints/books-llama", "text/books-val.txt") == near(3.76067, 2e-4));
}

TEST_CASE("demo-llama has its reference loss") {
  REGROUP_NEEDS_SHARED_DATA("checkpoints/demo-llama");
  CHECK(loss_on("checkpoints/demo-llama", "text/books-val.txt") == near(4.12961, 2e-4));
}

TEST_CASE("stories260k, grouped already, has its reference loss") {
  REGROUP_NEEDS_SHARED_DATA("checkpoints/stories260k");
  CHECK(loss_on("checkpoints/stories260k", "text/tinystories.txt") == near(1.68684, 2e-4));
}
