#include "models/refit/reconstruction.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>

#include "models/passes/input_batch.hpp"
#include "models/transformer/transformer.hpp"
#include "tests/fixtures/tiny_llama.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temporary_directory.hpp"

using namespace regroup;
using namespace regroup::models;
using namespace regroup::tests;

namespace {

/// The first layer of a tiny model, some inputs, and what it gives for them.
struct Scene {
  explicit Scene(const TinyLlama& shape) {
    shape.write(scratch.path());
    model = std::make_shared<const PretrainedModel>(open_model(scratch.path()));
    transformer = std::make_shared<const Transformer>(*model, ComputeOptions{});
    for (int window = 0; window < 6; ++window) {
      const at::Tensor x = at::arange(12 * shape.width, at::kFloat)
                               .add(100.0 * window)
                               .mul(0.37 + window)
                               .sin()
                               .view({1, 12, shape.width});
      inputs.push_back(x);
      const at::NoGradGuard no_gradients;
      windows.wanted.push_back(transformer->attention(0)({x, x}));
    }
    windows.input = [this](std::size_t w) { return AttentionInput{inputs[w], inputs[w]}; };
  }

  MergedAttention fit(const MergedAttention& start, int steps) const {
    return reconstruct(start, transformer->attention(0), windows, steps, ComputeOptions{}, {});
  }
  double distance(const MergedAttention& layer) const {
    const at::NoGradGuard no_gradients;
    const auto attention = transformer->attention(0).with(layer, ComputeOptions{});
    double sum = 0;
    for (std::size_t w = 0; w < inputs.size(); ++w) {
      const at::Tensor error = (*attention)({inputs[w], inputs[w]}) - windows.wanted[w];
      sum += error.square().sum().item<double>();
    }
    return sum;
  }

  /// The slope of the distance by each number of one part, as a central difference.
  std::vector<double> slopes(const MergedAttention& layer,
                             at::Tensor AttentionWeights::*part) const {
    const at::Tensor& numbers = layer.weights.*part;
    const double step = 1e-2 * numbers.square().mean().sqrt().item<double>();
    std::vector<double> slopes;
    for (std::int64_t i = 0; i < numbers.numel(); ++i) {
      const auto moved = [&](double by) {
        MergedAttention other = layer;
        other.weights.*part = numbers.clone();
        (other.weights.*part).view({-1})[i].add_(by);
        return distance(other);
      };
      slopes.push_back((moved(step) - moved(-step)) / (2 * step));
    }
    return slopes;
  }

  TemporaryDirectory scratch;
  std::shared_ptr<const PretrainedModel> model;
  std::shared_ptr<const Transformer> transformer;
  std::vector<at::Tensor> inputs;
  ReconstructionWindows windows;
};

std::vector<at::Tensor AttentionWeights::*> weights() {
  return {&AttentionWeights::query, &AttentionWeights::key, &AttentionWeights::value,
          &AttentionWeights::output};
}

/// With the biases.
std::vector<at::Tensor AttentionWeights::*> parts() {
  std::vector<at::Tensor AttentionWeights::*> all = weights();
  all.insert(all.end(), {&AttentionWeights::query_bias, &AttentionWeights::key_bias,
                         &AttentionWeights::value_bias, &AttentionWeights::output_bias});
  return all;
}

}  // namespace

TEST_CASE("the first step goes against the gradient, found by central differences") {
  TinyLlama shape;
  shape.kv_heads = 2;
  shape.bias = true;
  const Scene scene(shape);
  MergedAttention damaged = source_attention(*scene.model, 0);
  for (at::Tensor AttentionWeights::*part : parts()) {
    const at::Tensor other = at::arange(1, 1 + (damaged.weights.*part).numel(), at::kFloat).sin();
    damaged.weights.*part =
        damaged.weights.*part * 0.8 + 0.1 * other.view_as(damaged.weights.*part);
  }
  // Adam's first step is as long for every weight, whatever the length of its gradient. A step that
  // came no nearer would have been taken back.
  const MergedAttention fitted = scene.fit(damaged, 1);
  for (at::Tensor AttentionWeights::*part : parts()) {
    const std::vector<double> slopes = scene.slopes(damaged, part);
    const double steepest = std::ranges::max(slopes, {}, [](double s) { return std::abs(s); });
    const at::Tensor moved =
        (fitted.weights.*part - damaged.weights.*part).flatten().to(at::kDouble).contiguous();
    std::size_t checked = 0;
    for (std::size_t i = 0; i < slopes.size(); ++i) {
      if (std::abs(slopes[i]) < 0.01 * std::abs(steepest)) continue;  // may be rounding
      CHECK(moved.data_ptr<double>()[i] * slopes[i] < 0);
      ++checked;
    }
    CHECK(checked > slopes.size() / 2);
  }
}

TEST_CASE("reconstruction finds back what one projection lost, the nearer the more steps") {
  TinyLlama shape;
  shape.bias = true;
  const Scene scene(shape);
  for (at::Tensor AttentionWeights::*weight : weights()) {
    MergedAttention damaged = source_attention(*scene.model, 0);
    damaged.weights.*weight = damaged.weights.*weight * 0.8;
    const double start = scene.distance(damaged);
    const double few = scene.distance(scene.fit(damaged, 20));
    const double many = scene.distance(scene.fit(damaged, 200));
    CAPTURE(start, few, many);
    CHECK(few < 0.5 * start);
    CHECK(many < 0.1 * few);
  }
}

TEST_CASE("steps that lead away from what is wanted are taken back") {
  Scene scene((TinyLlama()));
  // Nothing gives the noise exactly: after many small steps a large one can only go astray.
  for (std::size_t w = 0; w < scene.windows.wanted.size(); ++w) {
    at::Tensor& wanted = scene.windows.wanted[w];
    wanted =
        wanted +
        at::arange(wanted.numel(), at::kFloat).add(7.0 * double(w)).mul(1.7).sin().view_as(wanted);
  }
  const MergedAttention source = source_attention(*scene.model, 0);
  const MergedAttention best = scene.fit(source, 300);
  REQUIRE(scene.distance(best) < scene.distance(source));
  const MergedAttention fitted = scene.fit(best, 1);
  for (at::Tensor AttentionWeights::*weight : weights()) {
    CHECK(at::equal(fitted.weights.*weight, best.weights.*weight));
  }
}

TEST_CASE("reconstruction leaves what it started from as it was") {
  const Scene scene((TinyLlama()));
  MergedAttention damaged = source_attention(*scene.model, 0);
  damaged.weights.key = damaged.weights.key * 0.5;
  const at::Tensor before = damaged.weights.key.clone();
  const MergedAttention fitted = scene.fit(damaged, 5);
  CHECK(at::equal(damaged.weights.key, before));
  CHECK_FALSE(at::equal(fitted.weights.key, before));
  CHECK_FALSE(fitted.weights.key.requires_grad());
}
