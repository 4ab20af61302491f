#include <cmath>
#include <cstring>

#include "models/checkpoint/safetensors.hpp"
#include "models/files/json_file.hpp"
#include "models/language_model.hpp"
#include "models/text/token_data.hpp"
#include "search/parallel.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/shared_data.hpp"

using namespace regroup;
using namespace regroup::models;
using namespace regroup::tests;

namespace {

/// Reference logits and inputs that transformers wrote.
struct Golden {
  explicit Golden(const std::filesystem::path& directory) : file(directory / "golden.safetensors") {
    const TensorView& ids_view = file.tensor("input_ids");
    batch = ids_view.shape[0];
    length = static_cast<std::size_t>(ids_view.shape[1]);
    for (std::size_t i = 0; i < ids_view.bytes.size(); i += sizeof(std::int64_t)) {
      std::int64_t id = 0;
      std::memcpy(&id, ids_view.bytes.data() + i, sizeof id);
      ids.push_back(static_cast<std::int32_t>(id));
    }
  }

  SafetensorsFile file;
  std::int64_t batch = 0;
  std::size_t length = 0;
  std::vector<std::int32_t> ids;
};

double largest_difference(const LanguageModel& model, const Golden& golden, const char* tensor) {
  const std::vector<float> expected = to_floats(golden.file.tensor(tensor));
  double largest = 0;
  std::size_t at = 0;
  for (std::int64_t row = 0; row < golden.batch; ++row) {
    const auto ids =
        std::span(golden.ids).subspan(static_cast<std::size_t>(row) * golden.length, golden.length);
    for (const float logit : model.logits(ids)) {
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
  const auto windows = TokenWindows::of_stream(data.ids, pretrained->config.context, 0, text);
  search::SilentProgress silent;
  search::set_threads(2);
  const auto losses = LanguageModel(pretrained, options).window_losses(windows, {}, silent);
  search::set_threads(1);
  double sum = 0;
  for (const double loss : losses) sum += loss;
  return sum / static_cast<double>(losses.size());
}

}  // namespace

TEST_CASE("logits equal those of transformers, source and grouped") {
  REGROUP_NEEDS_SHARED_DATA("goldens/llama-mha");
  for (const char* family :
       {"llama-mha", "llama-gqa", "llama-rope3", "llama-bias", "mistral", "qwen2"}) {
    CAPTURE(family);
    const auto directory = shared_data(std::string("goldens/") + family);
    const LanguageModel model(std::make_shared<const PretrainedModel>(open_model(directory)),
                              ComputeOptions{});
    const Golden golden(directory);
    CHECK(largest_difference(model, golden, "logits") < 1e-4);
    const LanguageModel grouped = model.grouped(golden_grouping(directory), find_merge("mean"));
    CHECK(largest_difference(grouped, golden, "grouped_logits") < 1e-4);
  }
}

TEST_CASE("books-llama has its reference loss") {
  REGROUP_NEEDS_SHARED_DATA("checkpoints/books-llama");
  CHECK(loss_on("checkpoints/books-llama", "text/books-val.txt") == Approx(3.76067).margin(2e-4));
}

TEST_CASE("demo-llama has its reference loss") {
  REGROUP_NEEDS_SHARED_DATA("checkpoints/demo-llama");
  CHECK(loss_on("checkpoints/demo-llama", "text/books-val.txt") == Approx(4.12961).margin(2e-4));
}

TEST_CASE("stories260k, grouped already, has its reference loss") {
  REGROUP_NEEDS_SHARED_DATA("checkpoints/stories260k");
  CHECK(loss_on("checkpoints/stories260k", "text/tinystories.txt") == Approx(1.68684).margin(2e-4));
}
