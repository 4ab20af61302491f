#include "models/passes/gradient_pass.hpp"

#include <ATen/ATen.h>

#include <cmath>

#include "models/language_model/language_model.hpp"
#include "models/passes/token_sampling.hpp"
#include "tests/fixtures/tiny_llama.hpp"
#include "tests/models/language_model/naive_llama.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temporary_directory.hpp"

using namespace regroup;
using namespace regroup::models;
using namespace regroup::tests;
using Eigen::MatrixXd;
using Eigen::VectorXd;

namespace {

using Tensors = std::map<std::string, std::vector<float>>;

constexpr std::uint64_t kSeed = 77;
constexpr double kStep = 1e-3;

Windows some_windows() {
  search::RandomStream random{search::RandomKey(3)};
  std::vector<std::int32_t> ids(3 * 6);
  for (std::int32_t& id : ids) id = random.below(20);
  return {5, std::move(ids)};
}

/// One window of a tiny model with the labels that the pass draws for it.
struct LabelledWindow {
  TinyLlama shape;
  std::vector<int> inputs;
  std::vector<int> labels;

  /// Σ_t −log p(label) by a naive model.
  double loss(const Tensors& tensors, const NaiveNudge* nudge = nullptr) const {
    const auto rows = naive_logits(shape, tensors, inputs, nullptr, nullptr, nudge);
    double sum = 0;
    for (std::size_t t = 0; t < rows.size(); ++t) {
      double total = 0;
      for (const double logit : rows[t]) total += std::exp(logit);
      sum += std::log(total) - rows[t][static_cast<std::size_t>(labels[t])];
    }
    return sum;
  }

  double slope(const Tensors& tensors, NaiveNudge nudge) const {
    nudge.amount = kStep;
    const double above = loss(tensors, &nudge);
    nudge.amount = -kStep;
    return (above - loss(tensors, &nudge)) / (2 * kStep);
  }

  /// Σ of the squared slopes by `count` numbers of a tensor from `from` on.
  double energy(Tensors tensors, const std::string& name, std::size_t from,
                std::size_t count) const {
    double sum = 0;
    for (std::size_t i = from; i < from + count; ++i) {
      float& value = tensors.at(name)[i];
      const float kept = value;
      value = kept + static_cast<float>(kStep);
      const double high = value;
      const double above = loss(tensors);
      value = kept - static_cast<float>(kStep);
      const double slope = (above - loss(tensors)) / (high - value);
      value = kept;
      sum += slope * slope;
    }
    return sum;
  }
};

LabelledWindow labelled(const TinyLlama& shape, const LanguageModel& model, const Windows& windows,
                        std::size_t w) {
  const std::vector<std::int32_t> inputs(windows[w].begin(), windows[w].end() - 1);
  std::vector<float> logits = model.logits(inputs);
  const at::Tensor rows = at::from_blob(logits.data(), {std::ssize(inputs), shape.vocabulary});
  search::RandomStream stream(search::RandomKey(kSeed).split(w));
  const at::Tensor drawn = draw_tokens(rows, stream);
  const auto* labels = drawn.const_data_ptr<std::int64_t>();
  return {shape, {inputs.begin(), inputs.end()}, {labels, labels + inputs.size()}};
}

/// All gradients of one layer by central differences.
LayerGradients differences(const TinyLlama& shape, const LanguageModel& model,
                           const Windows& windows, int layer) {
  const Tensors tensors = shape.tensors();
  const auto heads = static_cast<std::size_t>(shape.query_heads);
  const auto width = static_cast<std::size_t>(shape.width);
  LayerGradients result{MatrixXd::Zero(shape.width, shape.width), VectorXd::Zero(shape.query_heads),
                        VectorXd::Zero(shape.kv_heads), VectorXd::Zero(shape.kv_heads)};
  const std::string prefix = "model.layers." + std::to_string(layer) + ".self_attn.";
  const auto count = static_cast<double>(windows.size());
  const auto tokens = static_cast<double>(windows.tokens());
  for (std::size_t w = 0; w < windows.size(); ++w) {
    const LabelledWindow window = labelled(shape, model, windows, w);
    for (std::size_t t = 0; t < window.inputs.size(); ++t) {
      VectorXd g(shape.width);
      for (std::size_t i = 0; i < width; ++i) {
        g[static_cast<Eigen::Index>(i)] =
            window.slope(tensors, {NaiveNudge::Where::kOutput, layer, t, i, 0, 0});
      }
      result.output += g * g.transpose() / tokens;
      for (std::size_t head = 0; head < heads; ++head) {
        for (std::size_t key = 0; key <= t; ++key) {
          const double slope =
              window.slope(tensors, {NaiveNudge::Where::kLogit, layer, t, head, key, 0});
          result.logits[static_cast<Eigen::Index>(head)] += slope * slope / tokens;
        }
      }
    }
    const auto energy = [&](const char* module, int head) {
      const auto rows = static_cast<std::size_t>(shape.head_dim);
      const std::size_t from = static_cast<std::size_t>(head) * rows;
      double sum = window.energy(tensors, prefix + module + ".weight", from * width, rows * width);
      const std::string bias = prefix + module + ".bias";
      if (tensors.contains(bias)) sum += window.energy(tensors, bias, from, rows);
      return sum / count;
    };
    for (int head = 0; head < shape.kv_heads; ++head) {
      result.keys[head] += energy("k_proj", head);
      result.values[head] += energy("v_proj", head);
    }
  }
  return result;
}

}  // namespace

TEST_CASE("gradient energies equal central differences of a naive model's loss") {
  TinyLlama shared;
  shared.kv_heads = 2;
  shared.bias = true;
  for (const TinyLlama& shape : {TinyLlama(), shared, TinyLlama::qwen2()}) {
    const TemporaryDirectory scratch;
    shape.write(scratch.path());
    const LanguageModel model(std::make_shared<const PretrainedModel>(open_model(scratch.path())),
                              ComputeOptions{});
    const Windows windows = some_windows();
    search::SilentProgress silent;
    const Calibration calibration =
        model.calibrate(windows, {.gradient_key = search::RandomKey(kSeed)}, {}, silent);
    for (int layer = 0; layer < shape.layers; ++layer) {
      const LayerGradients& found = *calibration.layers[static_cast<std::size_t>(layer)].gradients;
      const LayerGradients expected = differences(shape, model, windows, layer);
      CHECK((found.output - expected.output).norm() < 1e-3 * expected.output.norm());
      CHECK((found.logits - expected.logits).norm() < 1e-3 * expected.logits.norm());
      CHECK((found.keys - expected.keys).norm() < 1e-3 * expected.keys.norm());
      CHECK((found.values - expected.values).norm() < 1e-3 * expected.values.norm());
      CHECK(expected.logits.minCoeff() > 0);
      CHECK(expected.keys.minCoeff() > 0);
    }
  }
}

TEST_CASE("labels are drawn from the model's own distribution") {
  // Three tokens of probabilities 0.2, 0.5 and 0.3.
  const at::Tensor logits =
      at::log(at::tensor({0.2F, 0.5F, 0.3F})).unsqueeze(0).expand({20'000, 3}) + 1.5;
  search::RandomStream stream{search::RandomKey(4)};
  const at::Tensor drawn = draw_tokens(logits, stream);
  std::array<int, 3> counts{};
  for (std::int64_t i = 0; i < drawn.size(0); ++i) {
    ++counts[static_cast<std::size_t>(drawn.const_data_ptr<std::int64_t>()[i])];
  }
  // Five deviations of a binomial.
  CHECK(std::abs(counts[0] - 4000) < 5 * 57);
  CHECK(std::abs(counts[1] - 10'000) < 5 * 71);
  CHECK(std::abs(counts[2] - 6000) < 5 * 65);
}
