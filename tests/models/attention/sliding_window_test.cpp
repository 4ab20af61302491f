// Attention that sees only the last tokens: with a cache, and with everything in between recorded.

#include <ATen/ATen.h>

#include "models/language_model/language_model.hpp"
#include "models/transformer/transformer.hpp"
#include "tests/fixtures/tiny_llama.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temporary_directory.hpp"

using namespace regroup;
using namespace regroup::models;
using namespace regroup::tests;

namespace {

LanguageModel load(const TinyLlama& shape, const TemporaryDirectory& scratch) {
  shape.write(scratch.path());
  return {std::make_shared<const PretrainedModel>(open_model(scratch.path())), ComputeOptions{}};
}

double distance(const at::Tensor& a, const at::Tensor& b) {
  return (a - b).abs().max().item<double>();
}

at::Tensor some_ids() {
  return at::tensor({1, 5, 3, 19, 0, 7, 7, 12, 4, 11}, at::kLong).view({1, 10});
}

}  // namespace

TEST_CASE("a sliding window gives the same states token by token as all at once") {
  const at::NoGradGuard no_gradients;
  for (const TinyLlama& shape : {TinyLlama::mistral(), TinyLlama::qwen2()}) {
    const TemporaryDirectory scratch;
    const LanguageModel model = load(shape, scratch);
    const at::Tensor ids = some_ids();
    const at::Tensor whole = model.transformer().hidden_states({ids, {}, {}});
    KvCache cache = model.transformer().make_cache(1, 10);
    std::vector<at::Tensor> parts = {
        model.transformer().hidden_states({ids.slice(1, 0, 5), {}, {}}, &cache)};
    for (std::int64_t t = 5; t < 10; ++t) {
      parts.push_back(model.transformer().hidden_states({ids.slice(1, t, t + 1), {}, {}}, &cache));
    }
    CHECK(distance(at::cat(parts, 1), whole) < 1e-5);
    TinyLlama unlimited = shape;
    unlimited.sliding_window = 10;  // as long as the input
    const TemporaryDirectory other;
    CHECK(distance(load(unlimited, other).transformer().hidden_states({ids, {}, {}}), whole) >
          1e-2);
    unlimited.sliding_window = 0;
    const TemporaryDirectory third;
    CHECK(distance(load(unlimited, third).transformer().hidden_states({ids, {}, {}}),
                   load(unlimited, other).transformer().hidden_states({ids, {}, {}})) < 1e-5);
  }
}

TEST_CASE("a sliding window shows in the recorded attention, which gives the same output") {
  const at::NoGradGuard no_gradients;
  const TemporaryDirectory scratch;
  const LanguageModel model = load(TinyLlama::mistral(), scratch);
  const Transformer& transformer = model.transformer();
  const AttentionInput input =
      transformer.attention_input(0, transformer.embed({some_ids(), {}, {}}));
  const AttentionTrace trace = transformer.attention(0).trace(input);
  for (std::int64_t t = 0; t < 10; ++t) {
    for (std::int64_t i = 0; i < 10; ++i) {
      const bool is_seen = i <= t && i > t - 3;
      CHECK((trace.attention[0][0][t][i].item<float>() > 0) == is_seen);
    }
  }
  CHECK(distance(trace.mixed, transformer.attention(0).mix(input, {})) < 1e-5);
}
