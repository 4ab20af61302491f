#include "models/refit/reconstruction.hpp"

#include <ATen/ATen.h>

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

}  // namespace

TEST_CASE("reconstruction finds back what one projection lost") {
  TinyLlama shape;
  shape.bias = true;
  const Scene scene(shape);
  for (at::Tensor AttentionWeights::*weight : weights()) {
    MergedAttention damaged = source_attention(*scene.model, 0);
    damaged.weights.*weight = damaged.weights.*weight * 0.8;
    CHECK(scene.distance(scene.fit(damaged, 200)) < 0.1 * scene.distance(damaged));
  }
}

TEST_CASE("a layer that gives what is wanted is returned as it is") {
  const Scene scene((TinyLlama()));
  const MergedAttention source = source_attention(*scene.model, 0);
  const MergedAttention fitted = scene.fit(source, 5);
  for (at::Tensor AttentionWeights::*weight : weights()) {
    CHECK(at::equal(fitted.weights.*weight, source.weights.*weight));
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
