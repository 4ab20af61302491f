// Kinds of attention that change in training: heads dealt anew by their keys, noise in maps and
// outputs. Each stands in a real transformer, with its cache, its gradients and what it folds into,
// against plain loops.

#include <cmath>

#include "models/attention/dealt_attention.hpp"
#include "models/attention/perturbed_attention.hpp"
#include "models/tensors/random_tensor.hpp"
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
  CHECK(scene.decoding_error(scene.with(attention)) < 1e-5);
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
    CHECK(scene.decoding_error(scene.with(attention)) < 1e-5);
    CHECK(attention->fold().key_map == kFirstDeal);
    CHECK(at::equal(attention->fold().weights.key, shared_layer(kFirstDeal).weights.key));
  }
}
