// Kinds of attention but dot products: each stands in a real transformer, with its cache, its
// gradients and what it folds into, against plain loops.

#include "tests/models/attention/attention_kinds.hpp"

#include <cmath>

#include "models/attention/dealt_attention.hpp"
#include "models/attention/mixture_attention.hpp"
#include "models/attention/perturbed_attention.hpp"
#include "models/passes/moment_pass.hpp"
#include "models/passes/prefix_states.hpp"
#include "models/tensors/random_tensor.hpp"
#include "search/base/error.hpp"
#include "search/key_norm/deal.hpp"
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

namespace {

std::shared_ptr<const DealtAttention> dealt(DealKind kind, int window = 1) {
  return std::make_shared<DealtAttention>(shared_heads(), DealRule{kind, window, kPassKey});
}

/// Σ over sequences of the Frobenius norms of the stored heads' keys, by plain loops.
std::vector<double> naive_key_norms(const at::Tensor& input) {
  const MergedAttention layer = shared_layer(kFirstDeal);
  std::vector<double> norms(3);
  for (std::int64_t sequence = 0; sequence < input.size(0); ++sequence) {
    const Rows keys =
        projected(rows_of(input[sequence]), layer.weights.key, layer.weights.key_bias);
    for (std::size_t head = 0; head < norms.size(); ++head) {
      double squares = 0;
      for (const std::vector<double>& row : keys) {
        const std::vector<double> own = head_of(row, static_cast<std::int64_t>(head), 4);
        squares += dot(own, own);
      }
      norms[head] += std::sqrt(squares);
    }
  }
  return norms;
}

HeadMap map_of(const std::vector<int>& counts) {
  std::vector<int> heads;
  for (std::size_t head = 0; head < counts.size(); ++head) {
    heads.insert(heads.end(), static_cast<std::size_t>(counts[head]), static_cast<int>(head));
  }
  return {heads, static_cast<int>(counts.size())};
}

}  // namespace

TEST_CASE("heads dealt by the keys of each pass: in a transformer, as plain loops") {
  const AttentionScene scene;
  const at::NoGradGuard no_gradients;
  const auto attention = dealt(DealKind::kKdgqa);
  const Transformer model = scene.with(attention);
  CHECK(distance(scene.states(model), scene.naive_states(naive_heads(kFirstDeal))) < 1e-5);
  const std::vector<double> norms = naive_key_norms(scene.input().keys);
  const at::Tensor found = attention->key_norms(scene.input().keys);
  for (std::size_t head = 0; head < norms.size(); ++head) {
    CHECK(found[static_cast<std::int64_t>(head)].item<double>() ==
          Approx(norms[head]).epsilon(1e-5));
  }
  const HeadMap deal = map_of(search::deal_kdgqa(norms, kHeads));
  CHECK_FALSE(deal == kFirstDeal);
  CHECK(distance(scene.states(model, training(kPassKey)), scene.naive_states(naive_heads(deal))) <
        1e-5);
}

TEST_CASE("heads dealt anew: gradients, cached decoding, and the deal that is kept") {
  const AttentionScene scene;
  const auto attention = dealt(DealKind::kKdgqa);
  scene.check_gradients(*attention, training(kPassKey));
  const at::NoGradGuard no_gradients;
  CHECK(decoding_error(scene, scene.with(attention)) < 1e-5);
  // A step of two passes, whose sums count together, deals by the norms of the keys.
  const Transformer model = scene.with(attention);
  std::vector<at::Tensor> sums(model.layers());
  ForwardPass pass = training(kPassKey);
  pass.sums = &sums;
  scene.states(model, pass);
  const at::Tensor once = sums[AttentionScene::kLayer].clone();
  scene.states(model, pass);
  CHECK_FALSE(sums[0].defined());
  CHECK(distance(sums[AttentionScene::kLayer], 2 * once) < 1e-9);
  const auto next = attention->after_step(at::tensor({0.0, 1.0, 3.0}, at::kDouble), 0);
  // Norms 0, 1 and 3 share 4 query heads.
  const HeadMap deal({1, 2, 2, 2}, 3);
  CHECK(next->fold().key_map == deal);
  CHECK(attention->fold().key_map == kFirstDeal);
  CHECK(distance(scene.states(scene.with(next)), scene.naive_states(naive_heads(deal))) < 1e-5);
}

TEST_CASE("DGQA deals after every window of steps, by the norms and those of the deal before") {
  const at::Tensor first = at::tensor({1.0, 2.0, 6.0}, at::kDouble);
  const at::Tensor second = at::tensor({5.0, 2.5, 6.5}, at::kDouble);
  for (const DealKind kind : {DealKind::kDgqaDiff, DealKind::kDgqaEma}) {
    const auto own = kind == DealKind::kDgqaDiff ? search::DgqaKind::kDiff : search::DgqaKind::kEma;
    const auto deal = [&](const at::Tensor& norms, const std::vector<double>& before,
                          std::uint64_t step) {
      const double* numbers = norms.const_data_ptr<double>();
      return map_of(
          search::deal_dgqa(std::span(numbers, 3), before, kHeads, own, kPassKey.split(step)));
    };
    const auto start = dealt(kind, 2);
    const auto waiting = start->after_step(first, 0);
    CHECK(waiting->fold().key_map == kFirstDeal);
    const auto once = waiting->after_step(first, 1);
    CHECK(once->fold().key_map == deal(first, {0, 0, 0}, 1));
    const auto twice = once->after_step(second, 2)->after_step(second, 3);
    CHECK(twice->fold().key_map == deal(second, {1, 2, 6}, 3));
  }
}

TEST_CASE("what changes a layer by more than gradients is stored under a name, too") {
  const auto attention = dealt(DealKind::kKdgqa);
  const auto next = attention->after_step(at::tensor({0.0, 1.0, 3.0}, at::kDouble), 0);
  const std::vector<NamedTensor> stored = next->tensors();
  int states = 0;
  for (const NamedTensor& own : stored) states += own.use == TensorUse::kState ? 1 : 0;
  CHECK(states == 2);
  const auto restored = attention->with_tensors([&](const NamedTensor& own) {
    return std::ranges::find(stored, own.name, &NamedTensor::name)->tensor;
  });
  CHECK(restored->fold().key_map == next->fold().key_map);
}

// Noise in training.

TEST_CASE("noise taken from maps has each row's mean and deviation, and leaves the diagonal") {
  const at::Tensor maps =
      at::tensor({1.0, 0.0, 0.0, 0.3, 0.7, 0.0, 0.2, 0.5, 0.3}, at::kDouble).view({1, 1, 3, 3});
  const at::Tensor normal = at::arange(9, at::kDouble).sin().view({1, 1, 3, 3});
  const at::Tensor found = less_map_noise(maps, normal)[0][0];
  for (std::int64_t t = 0; t < 3; ++t) {
    const auto count = static_cast<double>(t + 1);
    const double mean = 1 / count;
    double squares = 0;
    for (std::int64_t i = 0; i <= t; ++i) {
      squares += std::pow(maps[0][0][t][i].item<double>() - mean, 2);
    }
    const double deviation = t == 0 ? 0 : std::sqrt(squares / static_cast<double>(t));
    for (std::int64_t i = 0; i < 3; ++i) {
      const double share = maps[0][0][t][i].item<double>();
      const double noise = mean + deviation * normal[0][0][t][i].item<double>();
      CHECK(found[t][i].item<double>() == Approx(i < t ? share - noise : share).margin(1e-12));
    }
  }
}

TEST_CASE("noise in training alone, as plain loops, and drawn for each layer and pass") {
  const AttentionScene scene;
  const at::NoGradGuard no_gradients;
  const auto attention =
      std::make_shared<const PerturbedAttention>(shared_heads(), NoiseForm::kPaper);
  const Transformer model = scene.with(attention);
  CHECK(at::equal(scene.states(model), scene.states(scene.with(shared_heads()))));
  const at::Tensor trained = scene.states(model, training(kPassKey));
  const at::Tensor maps = shared_heads()->trace(scene.input()).attention;
  const at::Tensor normal = normal_tensor(layer_key(kPassKey), maps.sizes()).to(at::kFloat);
  const at::Tensor noise = maps - less_map_noise(maps, normal);
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
  const auto always =
      std::make_shared<const PerturbedAttention>(shared_heads(), NoiseForm::kPaper, true);
  CHECK(distance(scene.states(scene.with(always)), scene.states(model)) > 1e-2);
}

TEST_CASE("noise taken from what groups attend to: one draw a group, for the whole batch") {
  const AttentionScene scene;
  const at::NoGradGuard no_gradients;
  const PerturbedAttention attention(shared_heads(), NoiseForm::kCode);
  const AttentionPass pass = training(kPassKey).of_layer(AttentionScene::kLayer);
  const at::Tensor found = attention.mix(scene.input(), pass);
  const at::Tensor plain = shared_heads()->mix(scene.input(), {});
  const std::int64_t length = plain.size(1);
  const auto heads = [&](const at::Tensor& mixed) {
    return mixed.view({2, length, kHeads, 4}).transpose(1, 2);
  };
  // Heads 0 and 1 read the first stored head, the others one each.
  const std::vector<std::vector<std::int64_t>> groups = {{0, 1}, {2}, {3}};
  for (std::size_t group = 0; group < groups.size(); ++group) {
    const at::Tensor index = at::tensor(groups[group], at::kLong);
    const at::Tensor own = heads(plain).index_select(1, index);
    at::Tensor uniform =
        uniform_tensor(layer_key(kPassKey).split(group), {own.size(1), length * 4});
    for (std::int64_t i = 0; i < own.size(1); ++i) uniform[i][i] = 0;
    const at::Tensor expected = less_output_noise(own, uniform.to(at::kFloat));
    CHECK(distance(heads(found).index_select(1, index), expected) < 1e-6);
  }
}

TEST_CASE("noise in training: gradients, decoding without it, and the static heads it folds into") {
  const AttentionScene scene;
  for (const NoiseForm form : {NoiseForm::kPaper, NoiseForm::kCode}) {
    const auto attention = std::make_shared<const PerturbedAttention>(shared_heads(), form);
    scene.check_gradients(*attention, training(kPassKey));
    const at::NoGradGuard no_gradients;
    CHECK(decoding_error(scene, scene.with(attention)) < 1e-5);
    CHECK(attention->fold().key_map == kFirstDeal);
    CHECK(at::equal(attention->fold().weights.key, shared_layer(kFirstDeal).weights.key));
  }
}

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
  CHECK(decoding_error(scene, model) < 1e-5);
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
