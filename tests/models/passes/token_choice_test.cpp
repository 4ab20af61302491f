// Drawing the next token: temperature, top-k, top-p.

#include "models/passes/token_choice.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <vector>

#include "search/base/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/error_message.hpp"

using namespace regroup;
using namespace regroup::models;
using namespace regroup::tests;

namespace {

/// The definition: probabilities of all tokens, sorted; those that are left, put to 1 again.
std::map<std::int32_t, double> naive_probabilities(const std::vector<float>& logits,
                                                   const SamplingOptions& options) {
  std::vector<std::pair<double, std::int32_t>> tokens;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    tokens.emplace_back(-std::exp(logits[i] / options.temperature), i);
  }
  std::sort(tokens.begin(), tokens.end());
  const auto k = static_cast<std::size_t>(options.top_k);
  if (k > 0 && k < tokens.size()) tokens.resize(k);
  double sum = 0;
  for (const auto& [likely, id] : tokens) sum -= likely;
  std::map<std::int32_t, double> left;
  double before = 0;
  double kept = 0;
  for (const auto& [likely, id] : tokens) {
    if (before < options.top_p * sum) kept += left[id] = -likely;
    before -= likely;
  }
  for (auto& [id, probability] : left) probability /= kept;
  return left;
}

std::vector<float> random_logits(std::size_t count, std::uint64_t seed) {
  search::RandomStream random{search::RandomKey(seed)};
  std::vector<float> logits(count);
  for (float& logit : logits) logit = static_cast<float>(4 * random.unit() - 2);
  return logits;
}

}  // namespace

TEST_CASE("temperature 0 takes the most likely token, the first of several") {
  search::RandomStream stream{search::RandomKey(1)};
  CHECK(choose_token(std::vector<float>{1, 3, 2, 3}, {}, stream) == 1);
  CHECK(choose_token(std::vector<float>{-5}, {.top_k = 3, .top_p = 0.1}, stream) == 0);
}

TEST_CASE("tokens are drawn as often as they are likely, from those that top-k and top-p leave") {
  const std::vector<float> logits = random_logits(9, 2);
  for (const SamplingOptions& options :
       {SamplingOptions{.temperature = 1}, SamplingOptions{.temperature = 0.5},
        SamplingOptions{.temperature = 1, .top_k = 3},
        SamplingOptions{.temperature = 2, .top_p = 0.6},
        SamplingOptions{.temperature = 1, .top_k = 5, .top_p = 0.7},
        SamplingOptions{.temperature = 1, .top_k = 99},
        SamplingOptions{.temperature = 1, .top_p = 1e-9}}) {
    CAPTURE(options.temperature, options.top_k, options.top_p);
    const auto expected = naive_probabilities(logits, options);
    constexpr int kDraws = 20000;
    std::map<std::int32_t, int> counts;
    search::RandomStream stream{search::RandomKey(3)};
    for (int i = 0; i < kDraws; ++i) ++counts[choose_token(logits, options, stream)];
    for (const auto& [id, count] : counts) REQUIRE(expected.contains(id));
    for (const auto& [id, probability] : expected) {
      const double deviation = std::sqrt(probability * (1 - probability) / kDraws);
      CHECK(std::abs(counts[id] / static_cast<double>(kDraws) - probability) <= 5 * deviation);
    }
  }
}

TEST_CASE("of tokens that are as likely the lower ids stay") {
  const std::vector<float> logits = {0, 1, 1, 1, 0};
  search::RandomStream stream{search::RandomKey(4)};
  for (int i = 0; i < 100; ++i) {
    CHECK(choose_token(logits, {.temperature = 1, .top_k = 2}, stream) <= 2);
    CHECK(choose_token(logits, {.temperature = 1, .top_k = 2}, stream) >= 1);
  }
}

TEST_CASE("one draw a token, the same for the same key") {
  const std::vector<float> logits = random_logits(50, 5);
  search::RandomStream first{search::RandomKey(6)};
  search::RandomStream second{search::RandomKey(6)};
  for (int i = 0; i < 100; ++i) {
    CHECK(choose_token(logits, {.temperature = 1, .top_k = 20, .top_p = 0.9}, first) ==
          choose_token(logits, {.temperature = 1, .top_k = 20, .top_p = 0.9}, second));
  }
  CHECK(first.bits() == second.bits());
}

TEST_CASE("sampling options out of range are refused") {
  const auto refusal = [](const SamplingOptions& options) {
    return error_message<InputError>([&] { require_valid(options); });
  };
  CHECK_THAT(refusal({.temperature = -1}), contains("--temperature"));
  CHECK_THAT(refusal({.temperature = NAN}), contains("--temperature"));
  CHECK_THAT(refusal({.temperature = INFINITY}), contains("--temperature"));
  CHECK_THAT(refusal({.top_k = -1}), contains("--top-k"));
  CHECK_THAT(refusal({.top_p = 0}), contains("--top-p"));
  CHECK_THAT(refusal({.top_p = 1.5}), contains("--top-p"));
  CHECK_THAT(refusal({.top_p = NAN}), contains("--top-p"));
}
