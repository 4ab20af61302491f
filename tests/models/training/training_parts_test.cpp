// The parts of a training: options, rates, which windows a step sees, clipping, AdamW.

#include <ATen/ATen.h>

#include <cmath>
#include <numbers>
#include <set>

#include "models/training/learning_rate.hpp"
#include "models/training/optimizer.hpp"
#include "models/training/training_options.hpp"
#include "models/training/window_order.hpp"
#include "search/base/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/error_message.hpp"

using namespace regroup;
using namespace regroup::models;
using namespace regroup::tests;

TEST_CASE("numbers of tokens are read with their units, others are refused by name") {
  CHECK(parse_count("8192", "--tokens") == 8192);
  CHECK(parse_count("200k", "--tokens") == 200'000);
  CHECK(parse_count("1.5M", "--tokens") == 1'500'000);
  for (const char* text : {"", "0", "-3", "2 M", "5x", "k", "nan", "1e30"}) {
    CAPTURE(text);
    CHECK_THAT(error_message<InputError>([&] { parse_count(text, "--tokens"); }),
               contains("--tokens"));
  }
}

TEST_CASE("options of training that do not go together are refused by name") {
  const auto refusal = [](const auto& change) {
    TrainingOptions options;
    change(options);
    return error_message<InputError>([&] { require_valid(options); });
  };
  using Options = TrainingOptions;
  CHECK_THAT(refusal([](Options& o) { o.rate = 0; }), contains("--lr"));
  CHECK_THAT(refusal([](Options& o) { o.rate = std::nan(""); }), contains("--lr"));
  CHECK_THAT(refusal([](Options& o) { o.part = TrainedPart::kWeights; }), contains("--weights"));
  CHECK_THAT(refusal([](Options& o) { o.start = LearnedStart::kRandom; }), contains("--start"));
  CHECK_THAT(refusal([](Options& o) {
               o.deal = DealName::kKdgqa;
               o.noise = NoiseName::kCode;
             }),
             contains("--noise"));
  CHECK_THAT(refusal([](Options& o) { o.noisy_validation = true; }),
             contains("--noisy-validation"));
  CHECK_THAT(refusal([](Options& o) { o.window = 0; }), contains("--window"));
}

TEST_CASE("the rate rises in the warm-up, falls to a tenth at the last step, or stays") {
  TrainingOptions options;
  options.rate = 2;
  options.warmup = 10;
  constexpr std::int64_t kSteps = 101;
  const auto rate = [&](std::int64_t step) { return learning_rate(options, step, kSteps); };
  // Eleven steps of warm-up.
  CHECK(rate(0) == Approx(2.0 / 11));
  CHECK(rate(10) == Approx(2));
  CHECK(rate(11) == Approx(2));
  CHECK(rate(100) == Approx(0.2));
  const double middle = (60.0 - 11) / (100 - 11);
  CHECK(rate(60) == Approx(2 * (0.1 + 0.45 * (1 + std::cos(std::numbers::pi * middle)))));
  options.schedule = RateSchedule::kLinear;
  CHECK(rate(60) == Approx(2 * (1 - 0.9 * middle)));
  CHECK(rate(100) == Approx(0.2));
  options.schedule = RateSchedule::kConstant;
  CHECK(rate(60) == 2);
  options.warmup = 0;
  CHECK(rate(0) == 2);
  CHECK(learning_rate(options, 0, 1) == 2);
}

TEST_CASE("every window is seen once before any is seen twice, whichever step is asked for first") {
  WindowOrder order(10, 4, search::RandomKey(5));
  std::vector<std::size_t> seen;
  for (std::uint64_t step = 0; step < 5; ++step) {
    for (const std::size_t window : order.of_step(step)) seen.push_back(window);
  }
  const std::set<std::size_t> first(seen.begin(), seen.begin() + 10);
  const std::set<std::size_t> second(seen.begin() + 10, seen.end());
  CHECK(first.size() == 10);
  CHECK(second.size() == 10);
  CHECK_FALSE(std::equal(seen.begin(), seen.begin() + 10, seen.begin() + 10));
  WindowOrder again(10, 4, search::RandomKey(5));
  const std::vector<std::size_t> third(seen.begin() + 8, seen.begin() + 12);
  CHECK((again.of_step(2) == third));
  CHECK((again.of_step(0) == std::vector<std::size_t>(seen.begin(), seen.begin() + 4)));
}

TEST_CASE("gradients are scaled together to the norm asked for, as torch does") {
  std::vector<at::Tensor> gradients = {at::tensor({3.0F, 0.0F}), {}, at::tensor({4.0F})};
  CHECK(gradient_norm(gradients) == Approx(5));
  clip_gradients(gradients, 5, 10);
  CHECK(gradients[0][0].item<float>() == 3);
  clip_gradients(gradients, 5, 0);
  CHECK(gradients[0][0].item<float>() == 3);
  clip_gradients(gradients, 5, 1);
  CHECK(gradients[0][0].item<float>() == Approx(3.0 / (5 + 1e-6)));
  CHECK(gradients[2][0].item<float>() == Approx(4.0 / (5 + 1e-6)));
}

TEST_CASE("AdamW takes the steps of its definition, and goes on from what it had learned") {
  const auto leaf = [](double value) {
    return at::full({1}, value, at::kDouble).requires_grad_(true);
  };
  const std::vector<double> gradients = {0.5, -2, 0.1, 3, -0.7};
  std::vector<TrainedTensor> tensors = {{"matrix", leaf(2), true}, {"norm", leaf(2), false}};
  Optimizer optimizer(tensors, 0.1);
  double value[2] = {2, 2};
  double first = 0;
  double second = 0;
  std::vector<TrainedTensor> others;
  std::unique_ptr<Optimizer> resumed;
  for (std::size_t step = 0; step < gradients.size(); ++step) {
    const double rate = 0.01 * static_cast<double>(step + 1);
    const double g = gradients[step];
    first = 0.9 * first + 0.1 * g;
    second = 0.95 * second + 0.05 * g * g;
    const auto t = static_cast<double>(step + 1);
    const double change =
        first / (1 - std::pow(0.9, t)) / (std::sqrt(second / (1 - std::pow(0.95, t))) + 1e-8);
    value[0] = value[0] * (1 - rate * 0.1) - rate * change;
    value[1] -= rate * change;
    const at::Tensor own = at::full({1}, g, at::kDouble);
    optimizer.step({own, own}, rate);
    if (resumed) resumed->step({own, own}, rate);
    for (int i = 0; i < 2; ++i) {
      CHECK(tensors[static_cast<std::size_t>(i)].tensor.item<double>() == Approx(value[i]));
    }
    if (step == 1) {
      for (const TrainedTensor& tensor : tensors) {
        others.push_back({tensor.name, leaf(tensor.tensor.item<double>()), tensor.decays});
      }
      resumed = std::make_unique<Optimizer>(others, 0.1);
      resumed->restore(optimizer.moments(), 2);
    }
  }
  for (std::size_t i = 0; i < 2; ++i) {
    CHECK(at::equal(others[i].tensor, tensors[i].tensor));
  }
}
