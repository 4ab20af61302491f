// What every model family must hold, whatever its blocks: merges without loss, moments and
// gradients, refits, conversion.

#include <algorithm>
#include <cmath>
#include <fstream>

#include "models/checkpoint/safetensors_writer.hpp"
#include "models/convert/convert.hpp"
#include "models/images/image_set.hpp"
#include "models/language_model/merger.hpp"
#include "models/layers/projection_view.hpp"
#include "models/merge/operators/merge_table.hpp"
#include "models/overlay/weight_overlay.hpp"
#include "models/recipes/mergeable.hpp"
#include "models/recipes/valid_widths.hpp"
#include "models/tensors/compute.hpp"
#include "search/base/error.hpp"
#include "search/base/parallel.hpp"
#include "tests/fixtures/random_checkpoint.hpp"
#include "tests/fixtures/tiny_family.hpp"
#include "tests/models/language_model/family_scene.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/distance.hpp"
#include "tests/support/error_message.hpp"
#include "tests/support/temporary_directory.hpp"

using namespace regroup;
using namespace regroup::models;
using namespace regroup::tests;
using search::Grouping;
using search::Partition;

namespace {

/// Makes key and value head `to` a copy of head `from` in every layer of the checkpoint's values.
void copy_head(Family& family, int from, int to) {
  const LanguageModel model = family.open();
  const PretrainedModel& pretrained = model.pretrained();
  const auto copy = [&](const StoredProjection& place, const std::string& suffix) {
    std::vector<float>& values = family.values.at(place.module + suffix);
    for (std::int64_t row = 0; row < place.rows; ++row) {
      for (std::int64_t column = 0; column < place.columns; ++column) {
        const auto at = [&](int head) {
          return static_cast<std::size_t>(place.offset + head * place.block_stride +
                                          row * place.row_stride + column * place.column_stride);
        };
        values[at(to)] = values[at(from)];
      }
    }
  };
  for (int layer = 0; layer < pretrained.config.layers; ++layer) {
    const LayerPlace place = pretrained.place(layer);
    for (const AttentionRole role : {AttentionRole::kKey, AttentionRole::kValue}) {
      copy(stored_weight(pretrained.spec, pretrained.config, place, role), ".weight");
      if (!has_bias(pretrained.config, role)) continue;
      copy(stored_bias(pretrained.spec, pretrained.config, place, role), ".bias");
    }
    if (pretrained.config.query_key_norm != QueryKeyNorm::kWhole) continue;
    // Each head's part of the norm's weights is its own.
    std::vector<float>& norms = family.values.at(place.name(&LayerModules::key_norm) + ".weight");
    const auto begin = norms.begin();
    const std::ptrdiff_t d = pretrained.config.head_dim;
    std::copy_n(begin + from * d, d, begin + to * d);
  }
}

}  // namespace

TEST_CASE("in every family heads that are copies merge without loss, by every operator") {
  for (const std::string_view architecture : tiny_families()) {
    CAPTURE(architecture);
    Family family(architecture);
    const int last = family.open().config().kv_heads - 1;
    copy_head(family, 0, last);
    const LanguageModel model = family.open();
    const Windows windows = random_windows(model.config(), 6, 1);
    const Merger merger(model, std::make_shared<const Calibration>(calibrate(model, windows)));
    const Partition copies = last == 1 ? Partition::parse("0 1") : Partition::parse("0 3 | 1 | 2");
    for (const std::string_view name : merge_names()) {
      CAPTURE(name);
      const auto merged = [&] {
        return merger.merged_model(uniform(model, copies), find_merge(name), {});
      };
      if (find_merge(name).folds() && !can_fold(model.config())) {
        CHECK_THAT(error_message<InputError>(merged),
                   contains("does not pass") || contains("do not pass"));
      } else {
        CHECK(divergence(model, merged(), windows) < 1e-8);
      }
    }
    const LanguageModel others = merger.merged_model(
        uniform(model, last == 1 ? Partition::parse("0 1") : Partition::parse("0 1 | 2 | 3")),
        find_merge("mean"), {});
    if (last > 1) CHECK(divergence(model, others, windows) > 1e-4);
  }
}

TEST_CASE("in every family refits bring a grouping nearer to its source on the text they saw") {
  for (const std::string_view architecture : tiny_families()) {
    CAPTURE(architecture);
    const Family family(architecture);
    const LanguageModel model = family.open();
    const Windows windows = random_windows(model.config(), 24, 2);
    const Merger merger(model,
                        std::make_shared<const Calibration>(calibrate(model, windows, false)));
    const Grouping grouping = uniform(model, pairs_of(model));
    const MergeOperator& merge = best_merge(model);
    const double plain = divergence(model, merger.merged_model(grouping, merge, {}), windows);
    const double refitted = divergence(
        model, merger.merged_model(grouping, {merge, false, Refit::kOutput}, {}), windows);
    CHECK(refitted < plain);
    CHECK(plain > 1e-6);
    const MergeRecipe both{merge, false, Refit::kBoth};
    if (!can_refit_queries(model.config())) {
      CHECK_THAT(error_message<InputError>([&] { merger.merged_model(grouping, both, {}); }),
                 contains("cannot be refitted"));
    } else {
      CHECK(divergence(model, merger.merged_model(grouping, both, {}), windows) < 1.1 * refitted);
    }
  }
}

TEST_CASE("in every family groups as wide as their members are the source, half as wide near it") {
  for (const std::string_view architecture : tiny_families()) {
    CAPTURE(architecture);
    const Family family(architecture);
    const LanguageModel model = family.open();
    const ModelConfig& config = model.config();
    const Windows windows = random_windows(config, 6, 1);
    const Merger merger(model,
                        std::make_shared<const Calibration>(calibrate(model, windows, false)));
    const Partition all = Partition::one_group(config.kv_heads);
    const Partition alone = Partition::singletons(config.kv_heads);
    // Keys that a norm follows stay as they are.
    const bool widens_keys = can_widen_keys(config);
    const std::vector<int> heads(static_cast<std::size_t>(config.kv_heads), config.head_dim);
    const auto wide = [&](int width) {
      const search::LayerGrouping layer{
          widens_keys ? all : alone,
          all,
          {},
          search::GroupWidths{
              config.head_dim, widens_keys ? std::vector<int>{width} : heads, {width}}};
      return Grouping{
          std::vector<search::LayerGrouping>(static_cast<std::size_t>(config.layers), layer)};
    };
    const int full = config.kv_heads * config.head_dim;
    const auto merged = [&](const Grouping& grouping) {
      return merger.merged_model(grouping, find_merge("optimal"), {});
    };
    if (!can_fold(config)) {
      CHECK_THAT(error_message<InputError>([&] { merged(wide(full)); }),
                 contains("does not pass") || contains("do not pass"));
      continue;
    }
    CHECK(divergence(model, merged(wide(full)), windows) < 1e-10);
    const double narrow = divergence(model, merged(uniform(model, all)), windows);
    const double half = divergence(model, merged(wide(full / 2)), windows);
    // Values of a narrow stream have no more dimensions than it.
    if (widens_keys || full / 2 < config.width) CHECK(half > 1e-8);
    if (config.kv_heads == 4) CHECK(half < narrow);
  }
}

TEST_CASE("reconstruction brings a grouping nearer to its source through every kind of block") {
  for (const std::string_view architecture :
       {"Qwen3ForCausalLM", "GPT2LMHeadModel", "GPTNeoXForCausalLM", "Gemma2ForCausalLM",
        "Olmo2ForCausalLM", "MixtralForCausalLM", "BloomForCausalLM", "BertForMaskedLM",
        "Dinov2ForImageClassification", "T5ForConditionalGeneration",
        "WhisperForConditionalGeneration"}) {
    CAPTURE(architecture);
    const Family family(architecture);
    const LanguageModel model = family.open();
    const Windows windows = random_windows(model.config(), 12, 2);
    const Merger merger(model,
                        std::make_shared<const Calibration>(calibrate(model, windows, false)));
    const Grouping grouping = uniform(model, pairs_of(model));
    const MergeOperator& merge = best_merge(model);
    const double plain = divergence(model, merger.merged_model(grouping, merge, {}), windows);
    const MergeRecipe reconstructed{merge, false, Refit::kNone, 40};
    CHECK(divergence(model, merger.merged_model(grouping, reconstructed, {}), windows) <
          0.95 * plain);
  }
}

TEST_CASE("in every family a converted checkpoint is the grouped model") {
  for (const std::string_view architecture : tiny_families()) {
    for (const DType dtype : {DType::kF32, DType::kBF16}) {
      CAPTURE(architecture);
      const Family family(architecture, dtype);
      const LanguageModel model = family.open();
      const Windows windows = random_windows(model.config(), 3, 4);
      const Grouping grouping = uniform(model, pairs_of(model));
      const auto merged =
          merge_plainly(model.shared_pretrained(), grouping, MergeRecipe(find_merge("mean")));
      const Layout layout = default_layout(head_maps(grouping, model.config()), model.config());
      CHECK((layout == Layout::kStandard) == model.config().names_kv_heads);
      search::SilentProgress silent;
      const auto target = family.scratch.path() / "converted";
      std::filesystem::create_directories(target);
      convert_checkpoint(model.pretrained(), *merged, layout, {}, target, {}, silent);
      const LanguageModel converted(std::make_shared<const PretrainedModel>(open_model(target)),
                                    ComputeOptions{});
      CHECK(divergence(model.with_overlay(*merged), converted, windows) < 1e-8);
      CHECK(divergence(model, converted, windows) > 1e-5);
    }
  }
}

TEST_CASE(
    "in every family a calibration is the same for any number of threads, and from its file") {
  use_one_thread_per_operation();
  for (const std::string_view architecture : tiny_families()) {
    CAPTURE(architecture);
    const Family family(architecture);
    const LanguageModel model = family.open();
    const Windows windows = random_windows(model.config(), 9, 3);
    const Calibration one = calibrate(model, windows);
    search::set_threads(3);
    const Calibration three = calibrate(model, windows);
    search::set_threads(1);
    const auto file = family.scratch.path() / "calibration.safetensors";
    write_calibration(file, one, model.pretrained());
    const Calibration read = read_calibration(file, model.pretrained());
    CHECK(read.windows == windows);
    for (std::size_t layer = 0; layer < one.layers.size(); ++layer) {
      for (const Calibration* other : {&three, &read}) {
        CHECK(other->layers[layer].input == one.layers[layer].input);
        CHECK(other->layers[layer].averaged == one.layers[layer].averaged);
        CHECK(other->layers[layer].query_input == one.layers[layer].query_input);
        CHECK(other->layers[layer].gradients->output == one.layers[layer].gradients->output);
        CHECK(other->layers[layer].gradients->logits == one.layers[layer].gradients->logits);
      }
      CHECK(one.layers[layer].gradients->logits.minCoeff() > 0);
    }
    // What is read serves as what was measured.
    const Grouping grouping = uniform(model, pairs_of(model));
    const MergeRecipe recipe{best_merge(model), false, Refit::kOutput};
    const auto merged_model = [&](const Calibration& calibration) {
      return Merger(model, std::make_shared<const Calibration>(calibration))
          .merged_model(grouping, recipe, {});
    };
    CHECK(divergence(merged_model(one), merged_model(read), windows) < 1e-12);
  }
}

TEST_CASE("the rank of an image's class is its place among the logits") {
  const Family family("ViTForImageClassification");
  const LanguageModel model = family.open();
  const Windows windows = random_windows(model.config(), 12, 6);
  search::SilentProgress silent;
  const std::vector<int> ranks = model.class_ranks(windows, {}, silent);
  const std::vector<double> losses = model.window_losses(windows, {}, silent);
  bool differs = false;
  for (std::size_t i = 0; i < windows.size(); ++i) {
    const std::vector<float> logits =
        model.logits({{}, {}, windows.images().pixels(windows.image(i))});
    REQUIRE(logits.size() == 3);
    const auto label = static_cast<std::size_t>(windows.images().label(i));
    int rank = 0;
    double sum = 0;
    for (const float logit : logits) {
      rank += logit > logits[label];
      sum += std::exp(logit);
    }
    CHECK(ranks[i] == rank);
    CHECK(losses[i] == Approx(std::log(sum) - logits[label]).epsilon(1e-5));
    differs = differs || rank != ranks[0];
  }
  CHECK(differs);
}

TEST_CASE("inputs of another kind than the model reads are refused") {
  const Family bert("BertForMaskedLM");
  const Family t5("T5ForConditionalGeneration");
  const LanguageModel text = bert.open();
  const LanguageModel pairs = t5.open();
  search::SilentProgress silent;
  CHECK_THAT(error_message<InputError>(
                 [&] { text.source_states(random_windows(pairs.config(), 2, 1), {}, silent); }),
             contains("pairs"));
  CHECK_THAT(error_message<InputError>([&] {
               pairs.logits(std::vector<std::int32_t>{1, 2});
             }),
             contains("decoder_input_ids"));
  CHECK_THAT(error_message<InputError>(
                 [&] { text.window_losses(random_windows(text.config(), 2, 1), {}, silent); }),
             contains("divergence"));
}

TEST_CASE("a checkpoint of the base model alone is read without the base model's name") {
  Family family("GPT2LMHeadModel");
  const LanguageModel model = family.open();
  const auto plain = family.scratch.path() / "model" / "model.safetensors";
  // The same file with every name cut; the header only gets shorter, so it is written anew.
  std::vector<PlannedTensor> plan;
  const Checkpoint& source = model.pretrained().checkpoint;
  for (const std::string& name : source.names()) {
    const TensorView& view = source.tensor(name);
    plan.push_back(planned_copy(name.substr(std::string("transformer.").size()), view.dtype,
                                view.shape, view.bytes));
  }
  const auto bare = family.scratch.path() / "bare";
  std::filesystem::create_directories(bare);
  std::filesystem::copy(family.scratch.path() / "model" / "config.json", bare / "config.json");
  write_checkpoint_weights(bare, plan);
  const LanguageModel cut(std::make_shared<const PretrainedModel>(open_model(bare)),
                          ComputeOptions{});
  const std::vector<std::int32_t> ids = {1, 5, 7, 3};
  CHECK(cut.logits(ids) == model.logits(ids));
  const Grouping grouping = uniform(model, pairs_of(model));
  const auto merged =
      merge_plainly(cut.shared_pretrained(), grouping, MergeRecipe(find_merge("mean")));
  search::SilentProgress silent;
  const auto target = family.scratch.path() / "converted";
  std::filesystem::create_directories(target);
  convert_checkpoint(cut.pretrained(), *merged, Layout::kExpand, {}, target, {}, silent);
  const LanguageModel converted(std::make_shared<const PretrainedModel>(open_model(target)),
                                ComputeOptions{});
  CHECK(distance(converted.logits(ids), cut.with_overlay(*merged).logits(ids)) < 1e-5);
}
