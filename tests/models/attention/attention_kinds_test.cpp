// The interface of attention carries kinds that models/ does not have: each stands in a real
// transformer, with its cache, its gradients and what it folds into, against plain loops.

#include "tests/models/attention/attention_kinds.hpp"

#include <cmath>

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
constexpr double kScale = 0.5;
const search::RandomKey kPassKey(91);

/// Three stored heads of 4 dimensions. They are turned: else a bias of the keys would change
/// nothing.
MergedAttention shared_layer(const HeadMap& map) {
  return random_projections(search::RandomKey(5), map, 4, map, 4);
}

const HeadMap kFirstDeal({0, 0, 1, 2}, 3);

std::shared_ptr<const DotProductAttention> shared_heads() {
  AttentionSetting setting;
  setting.scale = kScale;
  setting.rotary = std::make_shared<Rotary>(RotaryConfig{4, RotaryLayout::kHalfSplit, 100, {}}, 16,
                                            ComputeOptions{});
  return std::make_shared<DotProductAttention>(shared_layer(kFirstDeal), setting, ComputeOptions{});
}

NaiveDotProduct naive_heads(const HeadMap& map) {
  return {shared_layer(map), kScale, 4};
}

ForwardPass training(search::RandomKey key) {
  return {.is_training = true, .key = key};
}

/// The key that the scene's layer gets of a pass's.
search::RandomKey layer_key(search::RandomKey key) {
  return key.split(AttentionScene::kLayer);
}

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

/// Decodes the scene's text with a cache; gives the distance from the whole pass.
double decoding_error(const AttentionScene& scene, const Transformer& model) {
  KvCache cache = model.make_cache(2, AttentionScene::kLength);
  return distance(scene.decoded_states(model, cache), scene.states(model));
}

}  // namespace

// Heads dealt anew.

TEST_CASE("heads dealt anew in each pass: in a transformer by the pass's key, as plain loops") {
  const AttentionScene scene;
  const at::NoGradGuard no_gradients;
  const auto attention = std::make_shared<const DealtAttention>(shared_heads());
  const Transformer model = scene.with(attention);
  CHECK(distance(scene.states(model), scene.naive_states(naive_heads(kFirstDeal))) < 1e-5);
  bool differs = false;
  for (std::uint64_t number = 0; number < 4; ++number) {
    const search::RandomKey key = kPassKey.split(number);
    const HeadMap deal = attention->dealt(layer_key(key));
    differs = differs || !(deal == kFirstDeal);
    CHECK(distance(scene.states(model, training(key)), scene.naive_states(naive_heads(deal))) <
          1e-5);
  }
  CHECK(differs);
}

TEST_CASE("heads dealt anew: gradients, cached decoding, and the deal that is kept") {
  const AttentionScene scene;
  const DealtAttention attention(shared_heads());
  scene.check_gradients(attention, training(kPassKey));
  const at::NoGradGuard no_gradients;
  CHECK(decoding_error(scene, scene.with(std::make_shared<DealtAttention>(attention))) < 1e-5);
  // A step of two passes, whose sums count together, deals by the norms of the keys.
  const Transformer model = scene.with(std::make_shared<DealtAttention>(attention));
  std::vector<at::Tensor> sums(model.layers());
  ForwardPass pass = training(kPassKey);
  pass.sums = &sums;
  scene.states(model, pass);
  const at::Tensor once = sums[AttentionScene::kLayer].clone();
  scene.states(model, pass);
  CHECK_FALSE(sums[0].defined());
  CHECK(distance(sums[AttentionScene::kLayer], 2 * once) < 1e-3);
  at::Tensor norms = at::zeros({3});
  norms[2] = 9;
  norms[1] = 1;
  const auto next = attention.after_step(norms, 1);
  // Norms 0, 1 and 3 share 4 query heads.
  const HeadMap deal({1, 2, 2, 2}, 3);
  CHECK(next->fold().key_map == deal);
  CHECK(attention.fold().key_map == kFirstDeal);
  CHECK(distance(scene.states(scene.with(next)), scene.naive_states(naive_heads(deal))) < 1e-5);
}

TEST_CASE("what changes a layer by more than gradients is stored under a name, too") {
  const DealtAttention attention(shared_heads());
  const auto next = attention.after_step(at::tensor({0.0F, 1.0F, 9.0F}), 1);
  const std::vector<NamedTensor> stored = next->tensors();
  CHECK(stored.back().name == "deal");
  CHECK(stored.back().use == TensorUse::kState);
  const auto restored = attention.with_tensors([&](const NamedTensor& own) {
    return std::ranges::find(stored, own.name, &NamedTensor::name)->tensor;
  });
  CHECK(restored->fold().key_map == next->fold().key_map);
}

// Noise in training.

TEST_CASE("noise in training alone, as plain loops, and drawn for each layer and pass") {
  const AttentionScene scene;
  const at::NoGradGuard no_gradients;
  const auto attention = std::make_shared<const NoisyAttention>(shared_heads(), 0.1);
  const Transformer model = scene.with(attention);
  CHECK(at::equal(scene.states(model), scene.states(scene.with(shared_heads()))));
  const at::Tensor trained = scene.states(model, training(kPassKey));
  const at::Tensor noise = 0.1 * normal(layer_key(kPassKey), {2, kHeads, AttentionScene::kLength,
                                                              AttentionScene::kLength});
  std::int64_t sequence = 0;
  NaiveDotProduct naive = naive_heads(kFirstDeal);
  naive.noise = [&](std::int64_t h, std::int64_t t, std::int64_t i) {
    return noise[sequence][h][t][i].item<double>();
  };
  const at::Tensor expected = scene.naive_states([&](const Rows& input) {
    const Rows output = naive(input);
    ++sequence;
    return output;
  });
  CHECK(distance(trained, expected) < 1e-5);
  CHECK(at::equal(scene.states(model, training(kPassKey)), trained));
  CHECK(distance(scene.states(model, training(kPassKey.split(1))), trained) > 1e-2);
  Transformer both = model;
  both.replace_attention(0, attention);
  const auto of_layer = [&](std::size_t layer) {
    return (*attention)(scene.input(), training(kPassKey).of_layer(layer));
  };
  CHECK(distance(of_layer(0), of_layer(1)) > 1e-2);
}

TEST_CASE("noise in training: gradients, decoding without it, and the static heads it folds into") {
  const AttentionScene scene;
  const auto attention = std::make_shared<const NoisyAttention>(shared_heads(), 0.1);
  scene.check_gradients(*attention, training(kPassKey));
  const at::NoGradGuard no_gradients;
  CHECK(decoding_error(scene, scene.with(attention)) < 1e-5);
  CHECK(attention->fold().key_map == kFirstDeal);
  CHECK(at::equal(attention->fold().weights.key, shared_layer(kFirstDeal).weights.key));
}

// Several keys a head.

namespace {

at::Tensor some_prior() {
  return at::tensor({0.5F, 0.5F, 0.9F, 0.2F, 0.3F, 0.6F, 0.1F, 0.7F}).view({kHeads, 2});
}

std::shared_ptr<const MixtureAttention> mixture() {
  return std::make_shared<MixtureAttention>(projections(6, 3, 2), some_prior());
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
  CHECK(decoding_error(scene, model) < 1e-5);
  const auto cache = mixture()->make_cache(2, AttentionScene::kLength);
  CHECK(cache->bytes_per_position() == 2 * kHeads * (6 + 6 + 3) * 4);
  CHECK(cache->bytes() == AttentionScene::kLength * cache->bytes_per_position());
}

TEST_CASE("two keys a head: far keys give finite gradients") {
  OwnProjections own = projections(6, 3, 2);
  for (Linear& key : own.keys) key.weight = 300 * key.weight;
  const AttentionScene scene;
  const auto attention = MixtureAttention(own, some_prior()).with_own_weights();
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
  CHECK(decoding_error(scene, model) < 1e-5);
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
  for (const std::shared_ptr<const Attention>& attention :
       std::vector<std::shared_ptr<const Attention>>{mixture(), linear()}) {
    const std::string name(attention->name());
    CHECK_THROWS_WITH(attention->fold(), contains(name));
    CHECK_THROWS_WITH(attention->with(shared_layer(kFirstDeal), {}), contains(name));
    CHECK_THROWS_WITH(attention->with_cache(CacheType::kQ8_0, KeyOrder::kAsIs), contains(name));
    CHECK_THROWS_WITH(as_dot_product(*attention, "a query refit"),
                      contains("a query refit") && contains(name));
    Transformer model = scene.with(attention);
    CHECK_THROWS_AS(model.replace_attention(AttentionScene::kLayer, shared_layer(kFirstDeal)),
                    InputError);
  }
}

TEST_CASE("a cache of another kind of attention is not taken") {
  const AttentionScene scene;
  const auto cache = linear()->make_cache(2, AttentionScene::kLength);
  CHECK_THROWS_WITH(mixture()->mix(scene.input(), {.cache = cache.get()}),
                    contains("mixture of keys"));
}
