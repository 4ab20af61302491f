// What a GPU computes is what the CPU computes, within the rounding of the element type: both sum
// in orders of their own.

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <optional>
#include <tuple>
#include <vector>

#include "models/language_model/language_model.hpp"
#include "models/language_model/merger.hpp"
#include "models/merge/operators/merge_table.hpp"
#include "search/base/parallel.hpp"
#include "tests/fixtures/tiny_llama.hpp"
#include "tests/gpu/gpu_device.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temporary_directory.hpp"

using namespace regroup;
using namespace regroup::models;
using namespace regroup::tests;

namespace {

/// An element type and how far results in it may differ; in bfloat16 a little more than they differ
/// from those in float32 on the CPU.
struct Precision {
  DType dtype;
  double logits;    ///< the largest difference; logits are of the order of 1
  double loss;      ///< nats per token, of any window
  double moments;   ///< norm of the difference, relative to the norm
  double refitted;  ///< loss of a model that was merged and refitted
};

constexpr std::array kPrecisions = {Precision{DType::kF32, 1e-4, 1e-4, 1e-4, 1e-3},
                                    Precision{DType::kBF16, 2e-1, 3e-2, 3e-2, 5e-2}};

/// Large enough for the fused attention kernels of a GPU.
TinyLlama wide() {
  TinyLlama shape;
  shape.layers = 3;
  shape.width = 128;
  shape.head_dim = 32;
  shape.mlp_width = 96;
  shape.vocabulary = 300;
  shape.context = 64;
  return shape;
}

std::vector<TinyLlama> shapes() {
  TinyLlama shared = wide();
  shared.query_heads = 8;
  shared.bias = true;
  shared.tied = false;
  TinyLlama windowed = TinyLlama::mistral();
  windowed.kv_heads = 4;
  return {TinyLlama(), wide(), shared, windowed, TinyLlama::qwen2()};
}

Windows random_windows(const TinyLlama& shape, int count) {
  search::RandomStream random{search::RandomKey(5)};
  std::vector<std::int32_t> ids(static_cast<std::size_t>(count * (shape.context + 1)));
  for (std::int32_t& id : ids) id = static_cast<std::int32_t>(random.below(shape.vocabulary));
  return {shape.context, std::move(ids)};
}

/// One tiny model on both devices.
class Scene {
 public:
  Scene(const TinyLlama& shape, DType dtype, const Device& device,
        std::optional<std::uint64_t> weight_memory = {})
      : windows(random_windows(shape, 12)) {
    shape.write(scratch_.path());
    const auto opened = std::make_shared<const PretrainedModel>(open_model(scratch_.path()));
    models = {
        LanguageModel(opened, {.dtype = dtype, .device = {}}),
        LanguageModel(opened, {.dtype = dtype, .device = device, .weight_memory = weight_memory})};
  }

  /// What `make` makes of the model on the CPU and on the GPU.
  template <typename Make>
  auto both(const Make& make) const {
    return std::array{make(models[0]), make(models[1])};
  }

  Windows windows;
  std::vector<LanguageModel> models;

 private:
  TemporaryDirectory scratch_;
};

/// Calls `test` for every shape and element type on the device; does nothing where there is none.
template <typename Test>
void for_each_scene(const std::vector<TinyLlama>& shapes, const Test& test) {
  const std::optional<Device> device = gpu_or_skip();
  if (!device) return;
  for (const TinyLlama& shape : shapes) {
    for (const Precision& precision : kPrecisions) {
      CAPTURE(shape.architecture, shape.width, config_name(precision.dtype));
      test(Scene(shape, precision.dtype, *device), precision);
    }
  }
}

template <typename Numbers>
double largest_difference(const Numbers& a, const Numbers& b) {
  REQUIRE(a.size() == b.size());
  REQUIRE(!a.empty());
  double largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    largest = std::max<double>(largest, std::abs(a[i] - b[i]));
  }
  return largest;
}

template <typename Matrix>
double relative_difference(const Matrix& a, const Matrix& b) {
  REQUIRE(a.norm() > 0);
  return (a - b).norm() / a.norm();
}

/// Keys and values of neighbours together in the first layer, apart in the others.
search::Grouping half_grouping(int layers) {
  const search::Partition pairs = search::Partition::parse("0 1 | 2 3");
  const search::Partition crossed = search::Partition::parse("0 3 | 1 2");
  search::Grouping grouping{{{pairs, pairs}}};
  for (int i = 1; i < layers; ++i) grouping.layers.push_back({pairs, crossed});
  return grouping;
}

}  // namespace

TEST_CASE("logits on a GPU are those of the CPU") {
  for_each_scene(shapes(), [](const Scene& scene, const Precision& precision) {
    const auto ids = scene.windows.ids().first(static_cast<std::size_t>(scene.windows.context()));
    const auto logits = scene.both([&](const LanguageModel& model) { return model.logits(ids); });
    CHECK(largest_difference(logits[0], logits[1]) <= precision.logits);
  });
}

TEST_CASE("losses and divergences on a GPU are those of the CPU") {
  for_each_scene(shapes(), [](const Scene& scene, const Precision& precision) {
    search::SilentProgress silent;
    const auto losses = scene.both(
        [&](const LanguageModel& model) { return model.window_losses(scene.windows, {}, silent); });
    CHECK(largest_difference(losses[0], losses[1]) <= precision.loss);
    const auto scores = scene.both([&](const LanguageModel& model) {
      const auto grouping = half_grouping(model.config().layers);
      return model.grouped(grouping, MergeRecipe())
          .compare(model.source_states(scene.windows, {}, silent), {}, silent);
    });
    for (double WindowScore::*field : {&WindowScore::loss, &WindowScore::divergence}) {
      CHECK(largest_difference(values_of(scores[0], field), values_of(scores[1], field)) <=
            precision.loss);
    }
  });
}

TEST_CASE("moments of activations on a GPU are those of the CPU") {
  for_each_scene(shapes(), [](const Scene& scene, const Precision& precision) {
    search::SilentProgress silent;
    const auto measured = scene.both(
        [&](const LanguageModel& model) { return model.calibrate(scene.windows, {}, {}, silent); });
    for (std::size_t layer = 0; layer < measured[0].layers.size(); ++layer) {
      CAPTURE(layer);
      const LayerMoments& cpu = measured[0].layers[layer];
      const LayerMoments& gpu = measured[1].layers[layer];
      CHECK(relative_difference(cpu.input, gpu.input) <= precision.moments);
      CHECK(relative_difference(cpu.attended, gpu.attended) <= precision.moments);
      CHECK(relative_difference(cpu.averaged, gpu.averaged) <= precision.moments);
      CHECK(relative_difference(cpu.averaged_mean, gpu.averaged_mean) <= precision.moments);
    }
  });
}

TEST_CASE("gradients on a GPU are those of the CPU") {
  for_each_scene(shapes(), [](const Scene& scene, const Precision& precision) {
    // Labels are drawn from the model's own distribution: in bfloat16 some are others.
    if (precision.dtype == DType::kBF16) return;
    search::SilentProgress silent;
    const auto measured = scene.both([&](const LanguageModel& model) {
      return model.calibrate(scene.windows, {.gradient_key = search::RandomKey(3)}, {}, silent);
    });
    for (std::size_t layer = 0; layer < measured[0].layers.size(); ++layer) {
      CAPTURE(layer);
      const LayerGradients& cpu = *measured[0].layers[layer].gradients;
      const LayerGradients& gpu = *measured[1].layers[layer].gradients;
      CHECK(relative_difference(cpu.output, gpu.output) <= precision.moments);
      CHECK(relative_difference(cpu.logits, gpu.logits) <= precision.moments);
      CHECK(relative_difference(cpu.keys, gpu.keys) <= precision.moments);
      CHECK(relative_difference(cpu.values, gpu.values) <= precision.moments);
    }
  });
}

TEST_CASE("models merged and refitted on a GPU are those of the CPU") {
  for_each_scene({TinyLlama(), wide()}, [](const Scene& scene, const Precision& precision) {
    search::SilentProgress silent;
    const auto losses = scene.both([&](const LanguageModel& model) {
      const auto calibration =
          std::make_shared<const Calibration>(model.calibrate(scene.windows, {}, {}, silent));
      return Merger(model, calibration)
          .merged_model(half_grouping(model.config().layers),
                        {find_merge("optimal"), false, Refit::kBoth}, {})
          .window_losses(scene.windows, {}, silent);
    });
    CHECK(largest_difference(losses[0], losses[1]) <= precision.refitted);
  });
}

TEST_CASE("weights that stream from host memory give what those on a GPU give, to the bit") {
  const std::optional<Device> device = gpu_or_skip();
  if (!device) return;
  for (const TinyLlama& shape : shapes()) {
    for (const Precision& precision : kPrecisions) {
      CAPTURE(shape.architecture, shape.width, config_name(precision.dtype));
      const Scene resident(shape, precision.dtype, *device);
      const Scene streamed(shape, precision.dtype, *device, /*weight_memory=*/0);
      const auto outcome = [](const Scene& scene) {
        search::SilentProgress silent;
        const LanguageModel& model = scene.models[1];
        const auto calibration = std::make_shared<const Calibration>(
            model.calibrate(scene.windows, {.gradient_key = search::RandomKey(3)}, {}, silent));
        const auto refitted =
            Merger(model, calibration)
                .merged_model(half_grouping(model.config().layers),
                              {find_merge("optimal"), false, Refit::kBoth, 3}, {});
        return std::tuple(model.window_losses(scene.windows, {}, silent),
                          calibration->layers.front().gradients->keys,
                          refitted.window_losses(scene.windows, {}, silent));
      };
      CHECK(outcome(resident) == outcome(streamed));
    }
  }
}
