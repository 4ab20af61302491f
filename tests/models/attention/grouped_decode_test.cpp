// Attention of the newest position, from cached heads that no query head has a copy of.

#include "models/attention/grouped_decode.hpp"

#include <cmath>

#include "models/language_model/language_model.hpp"
#include "models/transformer/transformer.hpp"
#include "tests/fixtures/random_checkpoint.hpp"
#include "tests/fixtures/tiny_family.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temporary_directory.hpp"

using namespace regroup;
using namespace regroup::models;
using namespace regroup::tests;

namespace {

constexpr std::int64_t kBatch = 2;
constexpr std::int64_t kLength = 7;
constexpr std::int64_t kDim = 3;

at::Tensor numbers(std::vector<std::int64_t> shape, double phase) {
  std::int64_t count = 1;
  for (const std::int64_t size : shape) count *= size;
  return (at::arange(count, at::kFloat) * 1.7 + phase).sin().reshape(shape);
}

/// Head by head with plain loops.
at::Tensor naive_attention(const DecodeInput& input, const std::vector<int>& key_of_query,
                           const std::vector<int>& value_of_query) {
  at::Tensor out = at::zeros_like(input.queries);
  const auto heads = static_cast<std::int64_t>(key_of_query.size());
  for (std::int64_t b = 0; b < kBatch; ++b) {
    for (std::int64_t h = 0; h < heads; ++h) {
      const auto at = static_cast<std::size_t>(h);
      double sum = 0;
      std::vector<double> mixed(kDim);
      for (std::int64_t t = 0; t < kLength; ++t) {
        double logit = 0;
        for (std::int64_t i = 0; i < kDim; ++i) {
          logit += input.queries[b][h][0][i].item<double>() *
                   input.keys[b][key_of_query[at]][t][i].item<double>();
        }
        logit *= input.scale;
        if (input.bias) logit += (*input.bias)[0][h][0][t].item<double>();
        const double weight = std::exp(logit);
        sum += weight;
        for (std::int64_t i = 0; i < kDim; ++i) {
          mixed[static_cast<std::size_t>(i)] +=
              weight * input.values[b][value_of_query[at]][t][i].item<double>();
        }
      }
      for (std::int64_t i = 0; i < kDim; ++i) {
        out[b][h][0][i] = mixed[static_cast<std::size_t>(i)] / sum;
      }
    }
  }
  return out;
}

int stored(const std::vector<int>& of_query) {
  return *std::max_element(of_query.begin(), of_query.end()) + 1;
}

}  // namespace

TEST_CASE("grouped decoding equals attention head by head, whatever the groups") {
  const at::NoGradGuard no_gradients;
  const std::vector<std::vector<int>> maps = {
      {0, 1, 2, 3, 4}, {0, 0, 0, 0, 0}, {0, 1, 1, 0, 2}, {2, 0, 0, 1, 0}, {1, 2, 3, 4, 0}};
  for (const auto& keys : maps) {
    for (const auto& values : maps) {
      for (const bool has_bias : {false, true}) {
        CAPTURE(keys, values, has_bias);
        // Heads stand in a cache with more room than positions.
        DecodeInput input{numbers({kBatch, 5, 1, kDim}, 0.1),
                          numbers({kBatch, stored(keys), kLength + 4, kDim}, 0.2).slice(2, 2, 9),
                          numbers({kBatch, stored(values), kLength + 4, kDim}, 0.3).slice(2, 2, 9),
                          0.7,
                          {}};
        if (has_bias) input.bias = numbers({1, 5, 1, kLength}, 0.4);
        const at::Tensor found = grouped_decode(input, HeadGroups({keys, stored(keys)}, at::kCPU),
                                                HeadGroups({values, stored(values)}, at::kCPU));
        CHECK((found - naive_attention(input, keys, values)).abs().max().item<double>() < 1e-5);
      }
    }
  }
}

TEST_CASE("a cache gives back what was written, and its size is that of its room") {
  const at::NoGradGuard no_gradients;
  HeadCache cache(at::empty({kBatch, 3, 10, kDim}));
  CHECK(cache.bytes() == kBatch * 3 * 10 * kDim * 4);
  const at::Tensor all = numbers({kBatch, 3, 7, kDim}, 0.5);
  CHECK(at::equal(cache.append(all.slice(2, 0, 4)), all.slice(2, 0, 4)));
  const at::Tensor before = cache.append(all.slice(2, 4, 5));
  CHECK(at::equal(cache.append(all.slice(2, 5, 7)), all));
  CHECK(before.data_ptr() == cache.append(all.slice(2, 0, 1)).data_ptr());
}

TEST_CASE("biases by distance are those of the newest position") {
  const at::NoGradGuard no_gradients;
  const TemporaryDirectory scratch;
  const nlohmann::json config = tiny_config("T5ForConditionalGeneration");
  write_checkpoint(scratch.path(), config, random_values(config, 7));
  const LanguageModel model(std::make_shared<const PretrainedModel>(open_model(scratch.path())),
                            ComputeOptions{});
  const Attention& own = model.transformer().attention(1);  // of the decoder
  REQUIRE(own.kind() == AttentionKind::kCausal);
  const at::Tensor x = numbers({1, 9, model.transformer().width()}, 0.6);
  const at::Tensor whole = own({x, x});
  const auto cache = own.make_cache(1, 9);
  const at::Tensor start = x.slice(1, 0, 4);
  std::vector<at::Tensor> parts = {own({start, start}, {.cache = cache.get()})};
  for (std::int64_t t = 4; t < 9; ++t) {
    const at::Tensor next = x.slice(1, t, t + 1);
    parts.push_back(own({next, next}, {.offset = t, .cache = cache.get()}));
  }
  CHECK((at::cat(parts, 1) - whole).abs().max().item<double>() < 1e-5);
}
