#include "models/refit/refit_run.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "models/language_model/merger.hpp"
#include "models/merge/operators/merge_table.hpp"
#include "models/overlay/weight_overlay.hpp"
#include "search/base/error.hpp"
#include "search/base/parallel.hpp"
#include "tests/fixtures/tiny_llama.hpp"
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

const std::vector<std::int32_t> kIds = {1, 5, 3, 19, 0, 7, 7, 12, 4};
constexpr std::array kRefits = {Refit::kOutput, Refit::kQuery, Refit::kBoth};

/// A tiny model with its calibration.
struct Scene {
  using Tensors = std::map<std::string, std::vector<float>>;

  explicit Scene(const TinyLlama& shape) : Scene(shape, shape.tensors()) {}
  Scene(const TinyLlama& shape, const Tensors& tensors) {
    shape.write(scratch.path(), tensors);
    model = std::make_shared<const LanguageModel>(
        std::make_shared<const PretrainedModel>(open_model(scratch.path())), ComputeOptions{});
    search::RandomStream random{search::RandomKey(8)};
    std::vector<std::int32_t> ids(8 * 17);
    for (std::int32_t& id : ids) id = random.below(20);
    search::SilentProgress silent;
    calibration =
        std::make_shared<const Calibration>(model->calibrate({16, std::move(ids)}, {}, {}, silent));
  }

  LanguageModel merged_model(const Grouping& grouping, const MergeRecipe& recipe) const {
    return Merger(*model, calibration).merged_model(grouping, recipe, {});
  }
  /// Mean divergence from the source on the calibration's own windows.
  double divergence(const Grouping& grouping, const MergeRecipe& recipe) const {
    search::SilentProgress silent;
    const SourceStates states = model->source_states(calibration->windows, {}, silent);
    double sum = 0;
    for (const WindowScore& score : merged_model(grouping, recipe).compare(states, {}, silent)) {
      sum += score.divergence;
    }
    return sum / static_cast<double>(calibration->windows.size());
  }

  TemporaryDirectory scratch;
  std::shared_ptr<const LanguageModel> model;
  std::shared_ptr<const Calibration> calibration;
};

TinyLlama gqa_with_biases() {
  TinyLlama shape;
  shape.kv_heads = 2;
  shape.bias = true;
  return shape;
}

/// Key and value heads `copies` become those of head 0, weights and biases.
Scene::Tensors with_copies(const TinyLlama& shape, const std::vector<int>& copies) {
  auto tensors = shape.tensors();
  for (auto& [name, values] : tensors) {
    if (name.find("k_proj") == std::string::npos && name.find("v_proj") == std::string::npos) {
      continue;
    }
    const auto block = static_cast<std::ptrdiff_t>(values.size()) / shape.kv_heads;
    for (const int copy : copies) {
      std::copy_n(values.begin(), block, values.begin() + copy * block);
    }
  }
  return tensors;
}

/// A model whose heads differ, and how they are merged.
struct UnlikeHeads {
  TinyLlama shape;
  Grouping grouping;
};

std::vector<UnlikeHeads> unlike_heads() {
  const Grouping apart{{{Partition::parse("0 3 | 1 2"), Partition::parse("0 | 1 2 3")},
                        {Partition::one_group(4), Partition::parse("0 1 | 2 | 3")}}};
  const Grouping together = Grouping::uniform(2, Partition::one_group(2));
  return {{TinyLlama(), apart},
          {TinyLlama::qwen2(), apart},
          {TinyLlama::mistral(), together},
          {gqa_with_biases(), together}};
}

}  // namespace

TEST_CASE("a refit of a grouping that merges nothing changes nothing") {
  for (const TinyLlama& shape : {TinyLlama(), gqa_with_biases()}) {
    const Scene scene(shape);
    const auto alone = Grouping::uniform(2, Partition::singletons(shape.kv_heads));
    for (const Refit refit : kRefits) {
      const MergeRecipe recipe(find_merge("optimal"), false, refit);
      const Merger merger(*scene.model, scene.calibration);
      const auto layers = merger.merge(alone, recipe, {});
      CHECK(layers->heads(0) == nullptr);
      CHECK(layers->heads(1) == nullptr);
      CHECK(scene.merged_model(alone, recipe).logits(kIds) == scene.model->logits(kIds));
    }
  }
}

TEST_CASE("refits of copied heads change next to nothing") {
  struct Case {
    TinyLlama shape;
    std::vector<int> copies;
    Partition partition;
  };
  for (const Case& c : {Case{TinyLlama(), {2, 3}, Partition::parse("0 2 3 | 1")},
                        Case{TinyLlama::qwen2(), {2, 3}, Partition::parse("0 2 3 | 1")},
                        Case{TinyLlama::mistral(), {1}, Partition::one_group(2)},
                        Case{gqa_with_biases(), {1}, Partition::one_group(2)}}) {
    const Scene scene(c.shape, with_copies(c.shape, c.copies));
    const auto grouping = Grouping::uniform(2, c.partition);
    for (const char* merge : {"mean", "optimal"}) {
      for (const Refit refit : {Refit::kOutput, Refit::kBoth}) {
        const MergeRecipe recipe(find_merge(merge), false, refit);
        INFO(recipe.name());
        const auto found = scene.merged_model(grouping, recipe).logits(kIds);
        CHECK(distance(found, scene.model->logits(kIds)) < 1e-5);
      }
    }
  }
}

TEST_CASE("refits bring a converted model nearer to its source") {
  for (const UnlikeHeads& heads : unlike_heads()) {
    const Scene scene(heads.shape);
    for (const char* merge : {"mean", "optimal"}) {
      const double plain = scene.divergence(heads.grouping, find_merge(merge));
      for (const Refit refit : {Refit::kOutput, Refit::kBoth}) {
        const MergeRecipe recipe(find_merge(merge), false, refit);
        INFO(recipe.name());
        CHECK(scene.divergence(heads.grouping, recipe) < 0.9 * plain);
      }
    }
  }
}

TEST_CASE("refits bring models of wide groups nearer to their source") {
  const Partition all = Partition::one_group(4);
  for (const TinyLlama& shape : {TinyLlama(), TinyLlama::qwen2()}) {
    const Scene scene(shape);
    const int d = shape.head_dim;
    const auto wide = [&](int keys, int values, bool free) {
      return Grouping{{{all, all, {}, search::GroupWidths{d, {keys}, {values}, free}},
                       {all, all, {}, search::GroupWidths{d, {2 * d}, {d + 2}, free}}}};
    };
    for (const Grouping& grouping : {wide(2 * d, 2 * d, false), wide(d + 2, 2 * d + 2, true)}) {
      const double plain = scene.divergence(grouping, find_merge("optimal"));
      for (const Refit refit : {Refit::kOutput, Refit::kQuery, Refit::kBoth}) {
        const MergeRecipe recipe(find_merge("optimal"), false, refit);
        INFO(recipe.name() << " " << grouping.layers[0].widths->to_string());
        CHECK(scene.divergence(grouping, recipe) < 0.95 * plain);
      }
    }
  }
}

TEST_CASE("fits give the same bits for any number of threads") {
  const Scene scene(gqa_with_biases());
  const auto grouping = Grouping::uniform(2, Partition::one_group(2));
  for (const int steps : {0, 3}) {
    const MergeRecipe recipe(find_merge("optimal"), false, Refit::kBoth, steps);
    search::set_threads(1);
    const auto one = scene.merged_model(grouping, recipe).logits(kIds);
    search::set_threads(2);
    const auto two = scene.merged_model(grouping, recipe).logits(kIds);
    search::set_threads(1);
    CHECK(one == two);
    CHECK(distance(one, scene.model->logits(kIds)) > 1e-3);
  }
}

TEST_CASE("reconstruction brings a converted model nearer to its source than refits do") {
  for (const auto& [shape, grouping] : unlike_heads()) {
    const Scene scene(shape);
    for (const Refit refit : {Refit::kNone, Refit::kBoth}) {
      const MergeRecipe plain(find_merge("mean"), false, refit);
      const MergeRecipe fitted(find_merge("mean"), false, refit, 100);
      INFO(fitted.name());
      CHECK(scene.divergence(grouping, fitted) < 0.9 * scene.divergence(grouping, plain));
    }
  }
}

TEST_CASE("layers after a merged one are fitted, layers before it are not") {
  const Scene scene((TinyLlama()));
  const Partition alone = Partition::singletons(4);
  const Partition pairs = Partition::parse("0 1 | 2 3");
  const Merger merger(*scene.model, scene.calibration);
  const MergeRecipe recipe(find_merge("optimal"), false, Refit::kOutput);
  const auto late = merger.merge({{{alone, alone}, {pairs, pairs}}}, recipe, {});
  CHECK(late->heads(0) == nullptr);
  CHECK(late->heads(1) != nullptr);
  const auto early = merger.merge({{{pairs, pairs}, {alone, alone}}}, recipe, {});
  CHECK(early->heads(0) != nullptr);
  REQUIRE(early->heads(1) != nullptr);
  const MergedAttention source = source_attention(scene.model->pretrained(), 1);
  const MergedAttention fitted = early->heads(1)->make();
  CHECK(at::equal(fitted.weights.key, source.weights.key));
  CHECK(at::equal(fitted.weights.query, source.weights.query));
  CHECK_FALSE(at::equal(fitted.weights.output, source.weights.output));
}

TEST_CASE("refits follow an allocation of query heads") {
  const Scene scene((TinyLlama()));
  Grouping grouping = Grouping::uniform(2, Partition::parse("0 1 | 2 3"));
  for (search::LayerGrouping& layer : grouping.layers) {
    for (const int group : {0, 0, 0, 1}) layer.query_to_group.emplace_back(group);
  }
  const double plain = scene.divergence(grouping, find_merge("mean"));
  CHECK(scene.divergence(grouping, {find_merge("mean"), false, Refit::kBoth}) < 0.9 * plain);
  for (const char* merge : {"aligned", "optimal"}) {
    CHECK_THAT(error_message<InputError>([&] { scene.merged_model(grouping, find_merge(merge)); }),
               contains(merge));
  }
}

TEST_CASE("a model whose attention gives nothing is refitted to itself") {
  const TinyLlama shape;
  auto tensors = shape.tensors();
  for (auto& [name, values] : tensors) {
    if (name.find("v_proj") != std::string::npos) std::ranges::fill(values, 0.0F);
  }
  const Scene scene(shape, tensors);
  const auto grouping = Grouping::uniform(2, Partition::parse("0 1 | 2 3"));
  for (const char* merge : {"mean", "optimal"}) {
    const auto found =
        scene.merged_model(grouping, {find_merge(merge), false, Refit::kBoth}).logits(kIds);
    CHECK(distance(found, scene.model->logits(kIds)) < 1e-6);
  }
}

TEST_CASE("recipes that need calibration say so where there is none") {
  const Scene scene((TinyLlama()));
  const auto pairs = Grouping::uniform(2, Partition::parse("0 1 | 2 3"));
  const Merger blind(*scene.model, nullptr);
  const std::vector<MergeRecipe> needy = {{find_merge("optimal")},
                                          {find_merge("mean"), true},
                                          {find_merge("mean"), false, Refit::kOutput},
                                          {find_merge("mean"), false, Refit::kNone, 1}};
  for (const MergeRecipe& recipe : needy) {
    CHECK_THROWS_AS(blind.merge(pairs, recipe, {}), WorkError);
    CHECK_THROWS_AS(merge_plainly(scene.model->shared_pretrained(), pairs, recipe), WorkError);
  }
  CHECK_NOTHROW(blind.merge(pairs, find_merge("medoid"), {}));
  // Moments are there, gradients are not.
  CHECK_THROWS_AS(scene.merged_model(pairs, find_merge("weighted-fisher")), WorkError);
  CHECK_THROWS_AS(scene.merged_model(pairs, {find_merge("optimal"), true}), InputError);
}
