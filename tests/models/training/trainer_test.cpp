// Trainings of tiny models: what they begin with, leave alone, keep, and go on from.

#include "models/language_model/trainer.hpp"

#include <ATen/ATen.h>

#include <limits>

#include "models/convert/convert.hpp"
#include "models/elements/conversion.hpp"
#include "models/language_model/merged_layers.hpp"
#include "models/language_model/merger.hpp"
#include "models/layouts/layout.hpp"
#include "models/merge/operators/merge_table.hpp"
#include "models/overlay/weight_overlay.hpp"
#include "search/base/error.hpp"
#include "search/base/parallel.hpp"
#include "tests/fixtures/tiny_family.hpp"
#include "tests/fixtures/tiny_llama.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/error_message.hpp"
#include "tests/support/temporary_directory.hpp"

using namespace regroup;
using namespace regroup::models;
using namespace regroup::tests;

namespace {

/// A tiny model whose heads are merged to the mean, and what it is trained on.
struct Scene {
  explicit Scene(const TinyLlama& shape = TinyLlama{.bias = true}) {
    shape.write(scratch.path() / "tiny");
    pretrained = std::make_shared<const PretrainedModel>(open_model(scratch.path() / "tiny"));
    source.emplace(pretrained, ComputeOptions{});
    grouping = search::Grouping::uniform(
        shape.layers, search::Partition::neighbours(shape.kv_heads, shape.kv_heads / 2));
    merged.emplace(source->grouped(grouping, MergeRecipe(find_merge("mean"))));
    windows.emplace(random_windows(pretrained->config, 40, 3));
  }

  Trainer trainer(const TrainingOptions& options) const {
    return {*merged, *source, *source, grouping, options, *windows, search::RandomKey(7)};
  }
  double loss(const LanguageModel& model) const {
    search::SilentProgress silent;
    double sum = 0;
    for (const double loss : model.window_losses(*windows, {}, silent)) sum += loss;
    return sum / static_cast<double>(windows->size());
  }
  /// The trained model after it was written and opened again.
  LanguageModel written(const Trainer& trainer, const char* name) const {
    search::SilentProgress silent;
    const auto folder = scratch.path() / name;
    std::filesystem::create_directory(folder);
    const ModelHeadMaps maps = head_maps(trainer.grouping(), pretrained->config);
    convert_checkpoint(*pretrained, *trainer.overlay(), default_layout(maps, pretrained->config),
                       {}, folder, {}, silent);
    return {std::make_shared<const PretrainedModel>(open_model(folder)), ComputeOptions{}};
  }

  TemporaryDirectory scratch;
  std::shared_ptr<const PretrainedModel> pretrained;
  std::optional<LanguageModel> source;
  std::optional<LanguageModel> merged;
  search::Grouping grouping;
  std::optional<Windows> windows;
};

TrainingOptions quick(const std::function<void(TrainingOptions&)>& change = {}) {
  TrainingOptions options;
  options.tokens = 600;
  options.batch_tokens = 100;
  options.rate = 1e-2;
  if (change) change(options);
  return options;
}

/// A training of each kind.
std::vector<std::pair<const char*, TrainingOptions>> kinds() {
  using Options = TrainingOptions;
  return {{"plain", quick()},
          {"hidden", quick([](Options& o) {
             o.loss = {0, 0, 1};
           })},
          {"scalar", quick([](Options& o) { o.learned = LearnedMean::kScalar; })},
          {"row", quick([](Options& o) { o.learned = LearnedMean::kRow; })},
          {"column", quick([](Options& o) {
             o.learned = LearnedMean::kColumn;
             o.part = TrainedPart::kWeights;
           })},
          {"kdgqa", quick([](Options& o) { o.deal = DealName::kKdgqa; })},
          {"dgqa", quick([](Options& o) {
             o.deal = DealName::kDgqaEma;
             o.window = 2;
           })},
          {"paper", quick([](Options& o) { o.noise = NoiseName::kPaper; })},
          {"code", quick([](Options& o) { o.noise = NoiseName::kCode; })}};
}

void take_steps(Trainer& trainer, int steps) {
  for (int i = 0; i < steps; ++i) trainer.step({});
}

/// All numbers that a training has come to.
std::vector<float> numbers_of(const Scene& scene, const Trainer& trainer) {
  std::vector<float> numbers;
  std::vector<std::int32_t> ids = {1, 5, 2, 7, 3};
  for (const float logit : trainer.model().logits(ids)) numbers.push_back(logit);
  const auto overlay = trainer.overlay();
  for (int layer = 0; layer < scene.pretrained->config.layers; ++layer) {
    const MergedAttention merged = overlaid_attention(*scene.pretrained, *overlay, layer);
    const at::Tensor keys = merged.weights.key.to(at::kFloat).contiguous();
    numbers.insert(numbers.end(), keys.data_ptr<float>(), keys.data_ptr<float>() + keys.numel());
  }
  return numbers;
}

}  // namespace

TEST_CASE("every kind of training brings a merged model nearer to its source") {
  const Scene scene;
  for (const auto& [name, options] : kinds()) {
    CAPTURE(name);
    TrainingOptions longer = options;
    longer.tokens = 6000;
    Trainer trainer = scene.trainer(longer);
    CHECK(trainer.steps() == 63);  // of eight windows of twelve tokens
    double first = 0;
    double last = 0;
    while (trainer.done() < trainer.steps()) {
      const TrainingStep step = trainer.step({});
      CHECK(step.step == trainer.done());
      CHECK(step.positions == 96 * step.step);
      if (step.step <= 8) first += step.loss;
      if (step.step > trainer.steps() - 8) last += step.loss;
    }
    CHECK(last < (options.noise ? 1.0 : 0.9) * first);
  }
}

TEST_CASE("a training is the same for one thread and many, and with activations computed anew") {
  const Scene scene;
  const int threads = search::threads();
  for (const auto& [name, options] : kinds()) {
    CAPTURE(name);
    search::set_threads(1);
    Trainer one = scene.trainer(options);
    take_steps(one, 3);
    search::set_threads(4);
    Trainer many = scene.trainer(options);
    take_steps(many, 3);
    search::set_threads(threads);
    const std::vector<float> numbers = numbers_of(scene, one);
    CHECK((numbers == numbers_of(scene, many)));
    TrainingOptions anew = options;
    anew.recompute = true;
    Trainer recomputed = scene.trainer(anew);
    take_steps(recomputed, 3);
    const std::vector<float> others = numbers_of(scene, recomputed);
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      CHECK(others[i] == Approx(numbers[i]).margin(1e-3));
    }
  }
}

TEST_CASE("a training that is saved and restored ends as one that went through, to the bit") {
  const Scene scene;
  for (const auto& [name, options] : kinds()) {
    CAPTURE(name);
    Trainer whole = scene.trainer(options);
    take_steps(whole, 2);
    whole.keep_best();
    take_steps(whole, 1);
    const auto file = scene.scratch.path() / (std::string(name) + ".safetensors");
    whole.save(file, "a text", scene.scratch.path());
    take_steps(whole, 2);
    Trainer resumed = scene.trainer(options);
    CHECK(resumed.restore(file) == "a text");
    CHECK(resumed.done() == 3);
    take_steps(resumed, 2);
    CHECK((numbers_of(scene, resumed) == numbers_of(scene, whole)));
    whole.return_to_best();
    resumed.return_to_best();
    CHECK((numbers_of(scene, resumed) == numbers_of(scene, whole)));
    Trainer best = scene.trainer(options);
    take_steps(best, 2);
    CHECK((numbers_of(scene, best) == numbers_of(scene, whole)));
  }
  Trainer other = scene.trainer(quick([](TrainingOptions& o) { o.part = TrainedPart::kKeyValue; }));
  const auto file = scene.scratch.path() / "scalar.safetensors";
  CHECK_THAT(error_message<InputError>([&] { other.restore(file); }), contains("another training"));
}

TEST_CASE("what a training writes is the model that it measured") {
  const Scene scene;
  for (const auto& [name, options] : kinds()) {
    CAPTURE(name);
    Trainer trainer = scene.trainer(options);
    take_steps(trainer, 4);
    CHECK(scene.loss(scene.written(trainer, name)) ==
          Approx(scene.loss(trainer.model())).epsilon(1e-6));
    const search::Grouping grouping = trainer.grouping();
    CHECK(grouping.layers[0].has_allocation() == options.deal.has_value());
    CHECK(grouping.kv_ratio() <= 0.5);
  }
}

TEST_CASE("learned means begin as the mean, to the bit, or at random") {
  for (const DType type : {DType::kF32, DType::kBF16}) {
    const Scene scene(TinyLlama{.bias = true, .dtype = type});
    const auto mean =
        Merger(*scene.source, nullptr).merge(scene.grouping, MergeRecipe(find_merge("mean")), {});
    for (const LearnedMean form : {LearnedMean::kScalar, LearnedMean::kRow, LearnedMean::kColumn}) {
      const auto differs = [&](LearnedStart start) {
        const Trainer trainer = scene.trainer(quick([&](TrainingOptions& o) {
          o.learned = form;
          o.start = start;
        }));
        bool any = false;
        for (int layer = 0; layer < scene.pretrained->config.layers; ++layer) {
          const auto own = overlaid_attention(*scene.pretrained, *trainer.overlay(), layer);
          const auto wanted = overlaid_attention(*scene.pretrained, *mean, layer);
          any = any || !at::equal(own.weights.key, wanted.weights.key) ||
                !at::equal(own.weights.value, wanted.weights.value) ||
                !at::equal(own.weights.key_bias, wanted.weights.key_bias);
        }
        return any;
      };
      CHECK_FALSE(differs(LearnedStart::kMean));
      CHECK(differs(LearnedStart::kRandom));
    }
  }
}

TEST_CASE("training changes what it is asked to, and nothing else") {
  const Scene scene;
  const auto changed = [&](TrainedPart part, std::optional<LearnedMean> learned = {}) {
    Trainer trainer = scene.trainer(quick([&](TrainingOptions& o) {
      o.part = part;
      o.learned = learned;
    }));
    take_steps(trainer, 1);
    const auto now = overlaid_attention(*scene.pretrained, *trainer.overlay(), 0);
    const auto mean = overlaid_attention(
        *scene.pretrained,
        *Merger(*scene.source, nullptr).merge(scene.grouping, MergeRecipe(find_merge("mean")), {}),
        0);
    const auto overlay = trainer.overlay();
    const at::Tensor* down = overlay->find("model.layers.0.mlp.down_proj.weight");
    std::string names;
    if (!at::equal(now.weights.key, mean.weights.key)) names += "key ";
    if (!at::equal(now.weights.value, mean.weights.value)) names += "value ";
    if (!at::equal(now.weights.query, mean.weights.query)) names += "query ";
    if (down != nullptr) names += "mlp ";
    return names;
  };
  CHECK(changed(TrainedPart::kAll) == "key value query mlp ");
  CHECK(changed(TrainedPart::kAttention) == "key value query ");
  CHECK(changed(TrainedPart::kKeyValue) == "key value ");
  CHECK(changed(TrainedPart::kWeights, LearnedMean::kScalar) == "key value ");
}

TEST_CASE("a training that leaves the finite numbers stops with its step, and nothing changed") {
  TinyLlama shape;
  auto tensors = shape.tensors();
  const TemporaryDirectory scratch;
  for (float& number : tensors.at("model.embed_tokens.weight")) number *= 1e20F;
  shape.write(scratch.path(), tensors);
  const auto pretrained = std::make_shared<const PretrainedModel>(open_model(scratch.path()));
  const LanguageModel source(pretrained, ComputeOptions{});
  const auto grouping = search::Grouping::uniform(2, search::Partition::neighbours(4, 2));
  const LanguageModel merged = source.grouped(grouping, MergeRecipe(find_merge("mean")));
  Trainer trainer(merged, source, source, grouping, quick([](TrainingOptions& o) {
                    o.loss = {1, 0, 0};
                  }),
                  random_windows(pretrained->config, 10, 3), search::RandomKey(7));
  const std::string message = error_message<WorkError>([&] { trainer.step({}); });
  CHECK_THAT(message, contains("step 1"));
  CHECK(trainer.done() == 0);
}

TEST_CASE("merged layers are written and read back as they were") {
  const Scene scene(TinyLlama{.bias = true, .dtype = DType::kBF16});
  const auto merged =
      Merger(*scene.source, nullptr).merge(scene.grouping, MergeRecipe(find_merge("mean")), {});
  const auto file = scene.scratch.path() / "merged.safetensors";
  write_merged(file, *scene.pretrained, *merged, "notes", scene.scratch.path());
  const auto again = read_merged(file, *scene.pretrained, scene.grouping);
  CHECK(again.notes == "notes");
  for (int layer = 0; layer < 2; ++layer) {
    const auto own = overlaid_attention(*scene.pretrained, *again.layers, layer);
    const auto wanted = overlaid_attention(*scene.pretrained, *merged, layer);
    for (const AttentionPart& part : kAttentionParts) {
      const at::Tensor& tensor = wanted.weights.*part.member;
      if (tensor.defined()) CHECK(at::equal(own.weights.*part.member, tensor));
    }
    CHECK(own.key_map == wanted.key_map);
  }
}
