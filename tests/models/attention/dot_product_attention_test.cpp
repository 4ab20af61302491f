// Dot products with head maps: keys and values of any width, in a real transformer.

#include "models/attention/dot_product_attention.hpp"

#include "search/base/error.hpp"
#include "tests/models/attention/attention_scene.hpp"
#include "tests/support/catch.hpp"

using namespace regroup;
using namespace regroup::models;
using namespace regroup::tests;

namespace {

constexpr double kScale = 0.3;

/// The scene's heads have 4 dimensions; keys here 8, of which 6 are turned, and values 12.
MergedAttention wide_layer() {
  return random_projections(search::RandomKey(3), {{1, 0, 0, 1}, 2}, 8, {{0, 2, 1, 2}, 3}, 12);
}

AttentionSetting wide_setting() {
  AttentionSetting setting;
  setting.scale = kScale;
  setting.rotary = std::make_shared<Rotary>(RotaryConfig{6, RotaryLayout::kHalfSplit, 100, {}}, 16,
                                            ComputeOptions{});
  return setting;
}

std::shared_ptr<const DotProductAttention> wide_attention() {
  return std::make_shared<DotProductAttention>(wide_layer(), wide_setting(), ComputeOptions{});
}

}  // namespace

TEST_CASE("keys and values may be wider than a head: attention equals plain loops") {
  const AttentionScene scene;
  const at::NoGradGuard no_gradients;
  const Transformer model = scene.with(wide_attention());
  const NaiveDotProduct naive{wide_layer(), kScale, 6};
  CHECK(distance(scene.states(model), scene.naive_states(naive)) < 1e-5);
  const AttentionTrace trace = wide_attention()->trace(scene.input());
  CHECK(distance(trace.mixed, wide_attention()->mix(scene.input(), {})) < 1e-5);
}

TEST_CASE(
    "wide heads decoded position by position equal the whole pass, in a cache of their size") {
  const AttentionScene scene;
  const at::NoGradGuard no_gradients;
  const Transformer model = scene.with(wide_attention());
  KvCache cache = model.make_cache(2, AttentionScene::kLength);
  // Per position 2 keys of 8 and 3 values of 12, and the other layer's 4 heads of 4 of each.
  const std::int64_t numbers = 2 * 8 + 3 * 12 + 4 * (4 + 4);
  CHECK(cache.bytes_per_position() == 2 * numbers * 4);
  CHECK(cache.bytes() == AttentionScene::kLength * cache.bytes_per_position());
  CHECK(distance(scene.decoded_states(model, cache), scene.states(model)) < 1e-5);
}

TEST_CASE("gradients reach every projection of wide heads") {
  const AttentionScene scene;
  scene.check_gradients(*wide_attention());
}

TEST_CASE("what dot products fold into computes the same again") {
  const AttentionScene scene;
  const at::NoGradGuard no_gradients;
  const auto attention = wide_attention();
  const MergedAttention folded = attention->fold();
  CHECK(folded.key_map == attention->key_map());
  CHECK(folded.value_map == attention->value_map());
  for (const AttentionPart& part : kAttentionParts) {
    const at::Tensor own = wide_layer().weights.*part.member;
    REQUIRE((folded.weights.*part.member).defined() == own.defined());
    if (own.defined()) CHECK(at::equal(folded.weights.*part.member, own));
  }
  const auto again = attention->with(folded, ComputeOptions{});
  CHECK(at::equal((*again)(scene.input()), (*attention)(scene.input())));
}

TEST_CASE("a cache's type holds for the widths of keys and of values, and stays with the layer") {
  const AttentionScene scene;
  const at::NoGradGuard no_gradients;
  const auto attention = wide_attention();
  const auto halved = attention->with_cache(CacheType::kF16, KeyOrder::kAsIs);
  const at::Tensor states = (*halved)(scene.input());
  CHECK(distance(states, (*attention)(scene.input())) > 1e-6);
  CHECK(distance(states, (*attention)(scene.input())) < 1e-2);
  CHECK(at::equal((*halved->with(wide_layer(), ComputeOptions{}))(scene.input()), states));
  CHECK_THROWS_WITH(attention->with_cache(CacheType::kQ8_0, KeyOrder::kAsIs),
                    contains("keys in q8_0"));
}

TEST_CASE("tensors of an attention are named, and others can stand in their places") {
  const AttentionScene scene;
  const at::NoGradGuard no_gradients;
  const auto attention = wide_attention();
  std::vector<std::string> names;
  for (const NamedTensor& own : attention->tensors()) names.push_back(own.name);
  CHECK(names == std::vector<std::string>{"query.weight", "query.bias", "key.weight", "key.bias",
                                          "value.weight", "value.bias", "output.weight",
                                          "output.bias"});
  const auto halved = attention->with_tensors([](const NamedTensor& own) {
    return own.name.starts_with("output") ? own.tensor / 2 : own.tensor;
  });
  CHECK(at::equal((*halved)(scene.input()) * 2, (*attention)(scene.input())));
}

TEST_CASE("projections that are not those of the head maps are refused") {
  for (at::Tensor AttentionWeights::*part :
       {&AttentionWeights::query, &AttentionWeights::key, &AttentionWeights::value}) {
    MergedAttention layer = wide_layer();
    layer.weights.*part = (layer.weights.*part).slice(0, 1);
    CHECK_THROWS_AS(DotProductAttention(layer, wide_setting(), ComputeOptions{}), WorkError);
  }
  MergedAttention layer = wide_layer();
  layer.weights.output = layer.weights.output.slice(1, 1);
  CHECK_THROWS_WITH(DotProductAttention(layer, wide_setting(), ComputeOptions{}),
                    contains("output"));
  layer = wide_layer();
  layer.value_map = HeadMap({0, 1, 2}, 3);
  CHECK_THROWS_AS(DotProductAttention(layer, wide_setting(), ComputeOptions{}), WorkError);
}
