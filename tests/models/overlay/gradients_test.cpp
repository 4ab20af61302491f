// Forward passes with gradients: the same numbers as without, and derivatives that central
// differences confirm.

#include <torch/csrc/autograd/autograd.h>

#include <cmath>

#include "models/language_model/language_model.hpp"
#include "models/passes/logit_losses.hpp"
#include "models/passes/window_pass.hpp"
#include "tests/models/overlay/overlay_scene.hpp"
#include "tests/support/catch.hpp"

using namespace regroup;
using namespace regroup::models;
using namespace regroup::tests;

namespace {

std::vector<at::Tensor> tensors_of(const WeightOverlay& overlay) {
  std::vector<at::Tensor> tensors;
  for (const auto& [name, tensor] : overlay.tensors()) tensors.push_back(tensor);
  return tensors;
}

/// The overlay with one number of one tensor moved; nothing records gradients.
WeightOverlay moved(const WeightOverlay& overlay, const std::string& name, std::int64_t at,
                    double by) {
  WeightOverlay result;
  for (const auto& [each, tensor] : overlay.tensors()) result.set(each, tensor.detach());
  const at::Tensor changed = result.find(name)->clone();
  changed.view({-1})[at].add_(by);
  result.set(name, changed);
  return result;
}

}  // namespace

TEST_CASE("in every family gradients by all parameters are those of central differences") {
  constexpr double kStep = 1e-5;
  for (const std::string_view architecture : tiny_families()) {
    CAPTURE(architecture);
    const OverlayScene scene(architecture, DType::kF64);
    const OverlayScene other(architecture, DType::kF64, DType::kF32, 6);
    const Windows windows = scene.windows();
    const WeightOverlay overlay = scene.all_trainable();
    const auto found = torch::autograd::grad(
        {loss_of(scene.with(overlay), other.transformer, windows)}, tensors_of(overlay));
    std::size_t next = 0;
    int differing = 0;
    for (const auto& [name, tensor] : overlay.tensors()) {
      CAPTURE(name);
      const at::Tensor gradient = found[next++].contiguous().view({-1});
      const auto steepest = gradient.abs().argmax().item<std::int64_t>();
      for (const std::int64_t at : {steepest, tensor.numel() / 2}) {
        const auto loss = [&](double by) {
          const Transformer model = scene.with(moved(overlay, name, at, by));
          return loss_of(model, other.transformer, windows).item<double>();
        };
        const double expected = (loss(kStep) - loss(-kStep)) / (2 * kStep);
        CHECK_THAT(gradient[at].item<double>(),
                   Catch::Matchers::WithinAbs(expected, 1e-8 + 1e-5 * std::abs(expected)));
        if (std::abs(expected) > 1e-4) ++differing;
      }
    }
    // Biases of keys change no softmax; all else does something.
    CHECK(differing > static_cast<int>(overlay.tensors().size()));
  }
}

TEST_CASE("in every family a pass that records gradients has the numbers of one that does not") {
  for (const std::string_view architecture : tiny_families()) {
    CAPTURE(architecture);
    const OverlayScene scene(architecture);
    const Windows windows = scene.windows(4);
    const at::Tensor with = logits_of(scene.with(scene.all_trainable()), windows);
    CHECK(with.requires_grad());
    const at::NoGradGuard no_gradients;
    CHECK(at::equal(with, logits_of(scene.transformer, windows)));
    CHECK(at::equal(with, logits_of(scene.with(scene.all_trainable()), windows)));
  }
}

TEST_CASE("the runner of passes alone decides whether gradients are recorded") {
  const OverlayScene scene("LlamaForCausalLM");
  const Windows windows = scene.windows(3);
  const Transformer trainable = scene.with(scene.all_trainable());
  for (const Gradients mode : {Gradients::kNone, Gradients::kRecorded}) {
    std::vector<int> recorded(windows.size());
    for_each_window(
        windows.size(), {}, {},
        [&](std::size_t w) {
          const at::Tensor loss =
              state_losses(trainable, batch_states(trainable, windows, w, w + 1),
                           batch_targets(trainable, windows, w, w + 1));
          recorded[w] = loss.requires_grad() ? 1 : 0;
        },
        mode);
    CHECK(recorded == std::vector<int>(windows.size(), mode == Gradients::kRecorded ? 1 : 0));
  }
  // Without trainable tensors there is nothing to record.
  CHECK_FALSE(logits_of(scene.transformer, windows).requires_grad());
}

TEST_CASE("what is measured is what training differentiates, to the bit") {
  for (const char* architecture : {"GPT2LMHeadModel", "ViTForImageClassification"}) {
    const OverlayScene scene(architecture);
    const Windows windows = scene.windows(3);
    search::SilentProgress silent;
    const LanguageModel model(scene.model, ComputeOptions{});
    const auto measured = model.window_losses(windows, {}, silent);
    const Transformer trainable = scene.with(scene.all_trainable());
    const std::vector<WindowScore> scores = model.source_states(windows, {}, silent).scores();
    for (std::size_t w = 0; w < windows.size(); ++w) {
      const at::Tensor states = batch_states(trainable, windows, 0, windows.size());
      const at::Tensor losses =
          state_losses(trainable, states, batch_targets(trainable, windows, 0, windows.size()));
      const at::Tensor means =
          losses.to(at::kDouble).view({static_cast<std::int64_t>(windows.size()), -1}).mean(1);
      CHECK(means[static_cast<std::int64_t>(w)].item<double>() == measured[w]);
      CHECK(scores[w].loss == measured[w]);
    }
  }
}

TEST_CASE("the divergence has finite gradients where the model is far from its source") {
  const at::Tensor source = at::tensor({0.0, 1.0, 2.0, 90.0, 0.0, 0.0}, at::kFloat).view({2, 3});
  const at::Tensor logits =
      at::tensor({0.5, 1.0, 1.5, 0.0, 200.0, 0.0}, at::kFloat).view({2, 3}).requires_grad_(true);
  const at::Tensor loss = divergences(source, logits);
  const at::Tensor gradient = torch::autograd::grad({loss.sum()}, {logits})[0];
  const at::Tensor expected = logits.detach().softmax(1) - source.softmax(1);
  CHECK(at::allclose(gradient, expected, 1e-5, 1e-6));
  CHECK_THAT(loss[1].item<double>(), Catch::Matchers::WithinRel(200.0, 1e-6));
}

TEST_CASE("a step against the gradient lowers the loss as far as it says") {
  for (const std::string_view architecture : tiny_families()) {
    CAPTURE(architecture);
    const OverlayScene scene(architecture, DType::kF64);
    const OverlayScene other(architecture, DType::kF64, DType::kF32, 6);
    const Windows windows = scene.windows();
    const WeightOverlay overlay = scene.all_trainable();
    const at::Tensor before = loss_of(scene.with(overlay), other.transformer, windows);
    const auto gradients = torch::autograd::grad({before}, tensors_of(overlay));
    double square = 0;
    for (const at::Tensor& gradient : gradients) square += gradient.square().sum().item<double>();
    const double wanted = 1e-4 * before.item<double>();
    WeightOverlay after;
    std::size_t next = 0;
    for (const auto& [name, tensor] : overlay.tensors()) {
      after.set(name, tensor.detach() - wanted / square * gradients[next++]);
    }
    const double fallen = before.item<double>() -
                          loss_of(scene.with(after), other.transformer, windows).item<double>();
    CHECK_THAT(fallen, Catch::Matchers::WithinRel(wanted, 0.02));
  }
}

TEST_CASE("two names of one tensor add their gradients up") {
  const OverlayScene scene("LlamaForCausalLM", DType::kF64);
  const OverlayScene other("LlamaForCausalLM", DType::kF64, DType::kF32, 6);
  const Windows windows = scene.windows();
  const std::vector<std::string> names = {"model.layers.0.mlp.up_proj.weight",
                                          "model.layers.1.mlp.up_proj.weight"};
  const at::Tensor value =
      scene.all_trainable().find(names[0])->detach().clone().requires_grad_(true);
  WeightOverlay shared;
  WeightOverlay apart;
  for (const std::string& name : names) {
    shared.set(name, value);
    apart.set(name, value.detach().clone().requires_grad_(true));
  }
  const auto loss = [&](const WeightOverlay& overlay) {
    return loss_of(scene.with(overlay), other.transformer, windows);
  };
  CHECK(loss(shared).item<double>() == loss(apart).item<double>());
  const at::Tensor together = torch::autograd::grad({loss(shared)}, {value})[0];
  const auto each = torch::autograd::grad({loss(apart)}, tensors_of(apart));
  CHECK(at::allclose(together, each[0] + each[1], 1e-12, 1e-14));
  CHECK(each[1].abs().max().item<double>() > 1e-4);
}

TEST_CASE("trainable masters in float32 get the gradients of a computation in bfloat16") {
  const OverlayScene scene("GPTNeoXForCausalLM", DType::kBF16);
  const Windows windows = scene.windows();
  const auto is_of_keys = [](const ModelParameter& parameter) {
    return parameter.layer && parameter.own == "key.weight";
  };
  const WeightOverlay overlay = scene.transformer.trainable(is_of_keys, at::kFloat);
  REQUIRE(overlay.tensors().size() == 2);
  const Transformer model = scene.with(overlay);
  const auto gradients =
      torch::autograd::grad({logits_of(model, windows).square().mean()}, tensors_of(overlay));
  for (const at::Tensor& gradient : gradients) {
    CHECK(gradient.scalar_type() == at::kFloat);
    CHECK(gradient.abs().max().item<double>() > 0);
  }
  // What is handed out for training again are the masters themselves.
  for (const ModelParameter& parameter : model.parameters()) {
    if (is_of_keys(parameter)) CHECK(parameter.tensor.is_same(*overlay.find(parameter.name)));
  }
}
