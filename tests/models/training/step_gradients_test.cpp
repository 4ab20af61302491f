// What a step differentiates, in every family: whole, and with activations computed anew.

#include "models/training/step_gradients.hpp"

#include <ATen/ATen.h>

#include <cmath>

#include "models/passes/input_batch.hpp"
#include "models/passes/logit_losses.hpp"
#include "search/base/parallel.hpp"
#include "tests/models/overlay/overlay_scene.hpp"
#include "tests/support/catch.hpp"

using namespace regroup;
using namespace regroup::models;
using namespace regroup::tests;

namespace {

double largest(const at::Tensor& tensor) {
  return tensor.abs().max().item<double>();
}

/// A trainable model of a family beside another one of the same shape.
struct Scene {
  explicit Scene(std::string_view architecture, DType type = DType::kF64, int count = 2)
      : own(architecture, type),
        other(architecture, type, DType::kF32, 6),
        windows(own.windows(count)),
        overlay(own.all_trainable()),
        model(own.with(overlay)) {
    for (const auto& [name, tensor] : overlay.tensors()) handles.push_back(tensor);
  }

  StepGradients gradients(const LossTerms& terms, bool recompute) const {
    const StepProblem problem{model, &other.transformer, terms, handles, recompute};
    return step_gradients(problem, windows, search::RandomKey(4), 0, {});
  }

  OverlayScene own;
  OverlayScene other;
  Windows windows;
  WeightOverlay overlay;
  Transformer model;
  std::vector<at::Tensor> handles;
};

/// The loss of the definition, window by window; gives a number.
double naive_loss(const Transformer& model, const Transformer& source, const Windows& windows,
                  const LossTerms& terms) {
  double sum = 0;
  for (std::size_t w = 0; w < windows.size(); ++w) {
    const InputBatch input = input_batch(model, windows, w, w + 1);
    const auto positions = static_cast<double>(windows.tokens(w, w + 1));
    Stream stream = model.embed(input);
    Stream wanted = source.embed(input);
    for (std::size_t layer = 0; layer < model.layers(); ++layer) {
      const at::Tensor y = model.attention(layer)(model.attention_input(layer, stream));
      const at::Tensor z = source.attention(layer)(source.attention_input(layer, wanted));
      sum += terms.hidden * positions * ((y - z).square().sum() / z.square().sum()).item<double>();
      stream = model.after_attention(layer, stream, y);
      wanted = source.after_attention(layer, wanted, z);
    }
    const at::Tensor logits = model.logits(model.finish(stream))[0];
    const at::Tensor target = source.logits(source.finish(wanted))[0];
    const at::Tensor of_positions =
        model.has_logits() ? divergences(target, logits) : state_distances(target, logits);
    sum += terms.divergence * of_positions.sum().item<double>();
  }
  return sum / static_cast<double>(windows.tokens());
}

}  // namespace

TEST_CASE("in every family a step's gradients are those of its loss, whole or layer by layer") {
  const LossTerms terms{0, 1, 0.5};
  for (const std::string_view architecture : tiny_families()) {
    CAPTURE(architecture);
    const Scene scene(architecture);
    const StepGradients whole = scene.gradients(terms, false);
    const StepGradients layered = scene.gradients(terms, true);
    CHECK(whole.losses.total == Approx(layered.losses.total).epsilon(1e-12));
    REQUIRE(whole.gradients.size() == scene.handles.size());
    double most = 0;
    for (const at::Tensor& gradient : whole.gradients) {
      if (gradient.defined()) most = std::max(most, largest(gradient));
    }
    std::size_t defined = 0;
    for (std::size_t i = 0; i < scene.handles.size(); ++i) {
      const at::Tensor& gradient = whole.gradients[i];
      const at::Tensor& again = layered.gradients[i];
      REQUIRE(gradient.defined() == again.defined());
      if (!gradient.defined()) continue;
      ++defined;
      CHECK(largest(gradient - again) <= 1e-9 * most);
    }
    CHECK(defined + 2 >= scene.handles.size());
  }
}

TEST_CASE("a step's loss and its slope are those of plain sums over windows") {
  constexpr double kStep = 1e-5;
  const LossTerms terms{0, 1, 0.5};
  for (const std::string_view architecture :
       {"LlamaForCausalLM", "T5ForConditionalGeneration", "ViTForImageClassification",
        "BertForSequenceClassification", "WhisperForConditionalGeneration"}) {
    CAPTURE(architecture);
    // So many that some pairs and texts are of the same lengths.
    const Scene scene(architecture, DType::kF64, 14);
    const StepGradients found = scene.gradients(terms, false);
    const at::NoGradGuard no_gradients;
    std::vector<at::Tensor> directions;
    double slope = 0;
    for (std::size_t i = 0; i < scene.handles.size(); ++i) {
      const at::Tensor direction = at::arange(scene.handles[i].numel(), at::kDouble)
                                       .mul(0.7)
                                       .sin()
                                       .view_as(scene.handles[i]);
      directions.push_back(direction);
      if (found.gradients[i].defined()) {
        slope += (found.gradients[i] * direction).sum().item<double>();
      }
    }
    const auto loss = [&](double by) {
      WeightOverlay moved;
      std::size_t i = 0;
      for (const auto& [name, tensor] : scene.overlay.tensors()) {
        moved.set(name, tensor.detach() + by * directions[i++]);
      }
      return naive_loss(scene.own.with(moved), scene.other.transformer, scene.windows, terms);
    };
    // Images are scored one by one, windows of other kinds by their tokens: the same means.
    CHECK(found.losses.total == Approx(loss(0)).epsilon(1e-9));
    CHECK(slope == Approx((loss(kStep) - loss(-kStep)) / (2 * kStep)).epsilon(1e-5));
  }
}

TEST_CASE("a step's gradients are the same for one thread and many, to the bit") {
  const Scene scene("LlamaForCausalLM", DType::kF32);
  const LossTerms terms{1, 1, 0};
  const int threads = search::threads();
  search::set_threads(1);
  const StepGradients one = scene.gradients(terms, false);
  search::set_threads(4);
  const StepGradients many = scene.gradients(terms, false);
  search::set_threads(threads);
  CHECK(one.losses.total == many.losses.total);
  CHECK(one.losses.cross_entropy > 0);
  for (std::size_t i = 0; i < one.gradients.size(); ++i) {
    if (one.gradients[i].defined()) CHECK(at::equal(one.gradients[i], many.gradients[i]));
  }
}
