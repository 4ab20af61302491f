// Kinds of attention that are no dot products: each stands in a real transformer, with its cache
// and its gradients, against plain loops.

#include "tests/models/attention/attention_kinds.hpp"

#include <cmath>

#include "models/attention/attention_weights.hpp"
#include "models/attention/dot_product_attention.hpp"
#include "models/attention/mixture_attention.hpp"
#include "models/passes/moment_pass.hpp"
#include "models/passes/prefix_states.hpp"
#include "search/base/error.hpp"
#include "tests/models/attention/attention_scene.hpp"
#include "tests/support/catch.hpp"

using namespace regroup;
using namespace regroup::models;
using namespace regroup::tests;

namespace {

constexpr std::int64_t kHeads = 4;

OwnProjections projections(std::int64_t width, std::int64_t value_width, std::size_t keys) {
  const search::RandomKey key(17);
  const std::int64_t model_width = TinyLlama().width;
  OwnProjections own{random_linear(key.split(0), kHeads * width, model_width),
                     {},
                     random_linear(key.split(1), kHeads * value_width, model_width),
                     random_linear(key.split(2), model_width, kHeads * value_width),
                     kHeads};
  for (std::size_t m = 0; m < keys; ++m) {
    own.keys.push_back(random_linear(key.split(3 + m), kHeads * width, model_width));
  }
  return own;
}

/// Σ over earlier tokens of weight · value, divided by the sum of the weights, by plain loops;
/// `weight` gives that of head h for query and key tokens.
Rows naive_mixture(
    const OwnProjections& own, const Rows& input,
    const std::function<double(std::int64_t h, std::size_t t, std::size_t i)>& weight) {
  const Rows values = projected(input, own.value.weight, own.value.bias);
  const std::int64_t width = own.value.weight.size(0) / own.heads;
  Rows mixed(input.size());
  for (std::size_t t = 0; t < input.size(); ++t) {
    for (std::int64_t h = 0; h < own.heads; ++h) {
      std::vector<double> part(static_cast<std::size_t>(width));
      double sum = 0;
      for (std::size_t i = 0; i <= t; ++i) {
        const double w = weight(h, t, i);
        const std::vector<double> value = head_of(values[i], h, width);
        for (std::size_t c = 0; c < part.size(); ++c) part[c] += w * value[c];
        sum += w;
      }
      for (double& number : part) number /= sum;
      mixed[t].insert(mixed[t].end(), part.begin(), part.end());
    }
  }
  return projected(mixed, own.output.weight, own.output.bias);
}

}  // namespace

// Several keys a head.

namespace {

at::Tensor some_prior() {
  return at::tensor({0.5F, 0.5F, 0.9F, 0.2F, 0.3F, 0.6F, 0.1F, 0.7F}).view({kHeads, 2});
}

std::shared_ptr<const MixtureAttention> mixture_of(const OwnProjections& own) {
  AttentionWeights weights;
  weights.query = own.query.weight;
  weights.query_bias = own.query.bias;
  weights.key = own.keys[0].weight;
  weights.key_bias = own.keys[0].bias;
  weights.value = own.value.weight;
  weights.value_bias = own.value.bias;
  weights.output = own.output.weight;
  weights.output_bias = own.output.bias;
  const MixtureTensors tensors{{own.keys[1]}, {}, some_prior().t().contiguous()};
  return std::make_shared<MixtureAttention>(weights, tensors, MixtureConfig(),
                                            AttentionKind::kCausal, kHeads, ComputeOptions{});
}

std::shared_ptr<const MixtureAttention> mixture() {
  return mixture_of(projections(6, 3, 2));
}

Rows naive_keys(const Rows& input) {
  const OwnProjections own = projections(6, 3, 2);
  const Rows queries = projected(input, own.query.weight, own.query.bias);
  const Rows prior = rows_of(some_prior());
  std::vector<Rows> keys;
  for (const Linear& key : own.keys) keys.push_back(projected(input, key.weight, key.bias));
  return naive_mixture(own, input, [&](std::int64_t h, std::size_t t, std::size_t i) {
    const std::vector<double> query = head_of(queries[t], h, 6);
    double weight = 0;
    for (std::size_t m = 0; m < keys.size(); ++m) {
      const std::vector<double> key = head_of(keys[m][i], h, 6);
      double square = 0;
      for (std::size_t c = 0; c < key.size(); ++c) square += std::pow(query[c] - key[c], 2);
      weight += prior[static_cast<std::size_t>(h)][m] * std::exp(-square / (2 * std::sqrt(6.0)));
    }
    return weight;
  });
}

}  // namespace

TEST_CASE("two keys a head: a transformer computes them as plain loops, with gradients") {
  const AttentionScene scene;
  scene.check_gradients(*mixture());
  const at::NoGradGuard no_gradients;
  CHECK(distance(scene.states(scene.with(mixture())), scene.naive_states(naive_keys)) < 1e-5);
}

TEST_CASE("two keys a head: the cache holds both, and decoding equals the whole pass") {
  const AttentionScene scene;
  const at::NoGradGuard no_gradients;
  const Transformer model = scene.with(mixture());
  CHECK(scene.decoding_error(model) < 1e-5);
  const auto cache = mixture()->make_cache(2, AttentionScene::kLength);
  CHECK(cache->bytes_per_position() == 2 * kHeads * (6 + 6 + 3) * 4);
  CHECK(cache->bytes() == AttentionScene::kLength * cache->bytes_per_position());
}

TEST_CASE("two keys a head: far keys give finite gradients") {
  OwnProjections own = projections(6, 3, 2);
  for (Linear& key : own.keys) key.weight = 300 * key.weight;
  const AttentionScene scene;
  const auto attention = mixture_of(own)->with_own_weights();
  const at::AutoGradMode with_gradients(true);
  scene.states(scene.with(attention)).sum().backward();
  for (const NamedTensor& tensor : attention->tensors()) {
    CAPTURE(tensor.name);
    CHECK(at::isfinite(tensor.tensor.grad()).all().item<bool>());
  }
}

// Linear attention.

namespace {

std::shared_ptr<const LinearAttention> linear() {
  return std::make_shared<LinearAttention>(projections(5, 3, 1));
}

Rows naive_linear(const Rows& input) {
  const OwnProjections own = projections(5, 3, 1);
  const Rows queries = projected(input, own.query.weight, own.query.bias);
  const Rows keys = projected(input, own.keys[0].weight, own.keys[0].bias);
  const auto features = [](std::vector<double> head) {
    for (double& x : head) x = x > 0 ? x + 1 : std::exp(x);
    return head;
  };
  return naive_mixture(own, input, [&](std::int64_t h, std::size_t t, std::size_t i) {
    return dot(features(head_of(queries[t], h, 5)), features(head_of(keys[i], h, 5)));
  });
}

}  // namespace

TEST_CASE("linear attention: a transformer computes it as plain loops, with gradients") {
  const AttentionScene scene;
  scene.check_gradients(*linear());
  const at::NoGradGuard no_gradients;
  CHECK(distance(scene.states(scene.with(linear())), scene.naive_states(naive_linear)) < 1e-5);
}

TEST_CASE("linear attention: its cache is a state that does not grow") {
  const AttentionScene scene;
  const at::NoGradGuard no_gradients;
  const Transformer model = scene.with(linear());
  CHECK(scene.decoding_error(model) < 1e-5);
  const auto cache = linear()->make_cache(2, AttentionScene::kLength);
  CHECK(cache->bytes() == 2 * kHeads * (5 * 3 + 5) * 4);
  CHECK(cache->bytes_per_position() == 0);
  CHECK(linear()->make_cache(2, 1000)->bytes() == cache->bytes());
}

// What other parts of models/ make of them.

TEST_CASE("moments are those of any attention's shares of tokens") {
  const AttentionScene scene;
  const at::NoGradGuard no_gradients;
  for (const std::shared_ptr<const Attention>& attention :
       std::vector<std::shared_ptr<const Attention>>{mixture(), linear()}) {
    CAPTURE(attention->name());
    const Transformer model = scene.with(attention);
    const Stream stream = model.advance(0, model.embed({scene.ids().slice(0, 0, 1), {}, {}}));
    const LayerMoments moments = layer_moments(model, AttentionScene::kLayer, {stream}, {});
    const Rows input = rows_of(model.attention_input(AttentionScene::kLayer, stream).keys[0]);
    // Σ_t z_t of head 0, from the shares that the plain loops would give each token.
    const at::Tensor shares =
        attention->trace(model.attention_input(AttentionScene::kLayer, stream)).attention[0][0];
    for (std::size_t c = 0; c < input[0].size(); ++c) {
      double mean = 0;
      for (std::size_t t = 0; t < input.size(); ++t) {
        for (std::size_t i = 0; i <= t; ++i) {
          mean +=
              shares[static_cast<std::int64_t>(t)][static_cast<std::int64_t>(i)].item<double>() *
              input[i][c] / static_cast<double>(input.size());
        }
      }
      CHECK(moments.averaged_mean(0, static_cast<Eigen::Index>(c)) == Approx(mean).margin(1e-5));
    }
    CHECK(distance(attention->trace(scene.input()).mixed, attention->mix(scene.input(), {})) <
          1e-5);
  }
}

TEST_CASE("models of other kinds of attention share their first layers with the source") {
  const AttentionScene scene;
  const at::NoGradGuard no_gradients;
  std::vector<std::int32_t> ids;
  for (std::int32_t id = 0; id < 20; ++id) ids.push_back((id * 7) % 20);
  const Windows windows(9, ids);
  PrefixStates states(windows, Device{});
  const Transformer with_linear = scene.with(linear());
  const Transformer with_keys = scene.with(mixture());
  const std::vector<PrefixCandidate> candidates = {{&scene.source(), {"a", "dot product"}},
                                                   {&with_linear, {"a", "linear"}},
                                                   {&with_keys, {"a", "mixture"}}};
  std::vector<at::Tensor> found(candidates.size());
  states.run(candidates, {}, [&](std::size_t candidate, std::size_t, const at::Tensor& last) {
    found[candidate] = last;
  });
  const at::Tensor input = at::tensor(ids, at::kLong).view({2, 10}).slice(1, 0, 9).contiguous();
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    CHECK(at::equal(found[i],
                    candidates[i].transformer->hidden_states({input, {}, {}}).flatten(0, 1)));
  }
}

TEST_CASE("kinds of attention refuse by name what they are not") {
  const AttentionScene scene;
  const MergedAttention heads = source_attention(scene.pretrained(), AttentionScene::kLayer);
  for (const std::shared_ptr<const Attention>& attention :
       std::vector<std::shared_ptr<const Attention>>{mixture(), linear()}) {
    const std::string name(attention->name());
    CHECK_THROWS_WITH(attention->fold(), contains(name));
    CHECK_THROWS_WITH(attention->with(heads, {}), contains(name));
    CHECK_THROWS_WITH(attention->with_cache(CacheType::kQ8_0, KeyOrder::kAsIs), contains(name));
    CHECK_THROWS_WITH(as_dot_product(*attention, "a query refit"),
                      contains("a query refit") && contains(name));
    Transformer model = scene.with(attention);
    CHECK_THROWS_AS(model.replace_attention(AttentionScene::kLayer, heads), InputError);
  }
}

TEST_CASE("a cache of another kind of attention is not taken") {
  const AttentionScene scene;
  const auto cache = linear()->make_cache(2, AttentionScene::kLength);
  CHECK_THROWS_WITH(mixture()->mix(scene.input(), {.cache = cache.get()}),
                    contains("mixture of keys"));
}
