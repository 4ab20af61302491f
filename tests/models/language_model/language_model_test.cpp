#include "models/language_model/language_model.hpp"

#include <cmath>
#include <functional>
#include <limits>
#include <span>

#include "models/language_model/merger.hpp"
#include "models/merge/operators/merge_table.hpp"
#include "search/base/error.hpp"
#include "search/base/parallel.hpp"
#include "tests/fixtures/tiny_llama.hpp"
#include "tests/models/language_model/naive_llama.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/error_message.hpp"
#include "tests/support/near.hpp"
#include "tests/support/temporary_directory.hpp"

using namespace regroup;
using namespace regroup::models;
using namespace regroup::tests;

namespace {

const std::vector<int> kIds = {1, 5, 3, 19, 0, 7, 7, 12, 4};

std::shared_ptr<const PretrainedModel> open(const std::filesystem::path& directory) {
  return std::make_shared<const PretrainedModel>(open_model(directory));
}

std::vector<float> logits(const LanguageModel& model, const std::vector<int>& ids) {
  return model.logits(std::vector<std::int32_t>(ids.begin(), ids.end()));
}

/// Largest difference to the naive logits.
double distance(const std::vector<float>& found, const std::vector<std::vector<double>>& expected) {
  REQUIRE(found.size() == expected.size() * expected[0].size());
  double largest = 0;
  for (std::size_t i = 0; i < found.size(); ++i) {
    const double value = expected[i / expected[0].size()][i % expected[0].size()];
    largest = std::max(largest, std::abs(found[i] - value));
  }
  return largest;
}

/// −log p of the next tokens, averaged, from naive logits.
double naive_loss(const std::vector<std::vector<double>>& rows, const std::vector<int>& ids) {
  double sum = 0;
  for (std::size_t t = 0; t + 1 < ids.size(); ++t) {
    double total = 0;
    for (const double logit : rows[t]) total += std::exp(logit);
    sum += std::log(total) - rows[t][static_cast<std::size_t>(ids[t + 1])];
  }
  return sum / static_cast<double>(ids.size() - 1);
}

/// log p of every token, from the logits of one position.
std::vector<double> log_softmax(std::span<const float> row) {
  const double largest = *std::max_element(row.begin(), row.end());
  double total = 0;
  for (const float logit : row) total += std::exp(static_cast<double>(logit) - largest);
  std::vector<double> result(row.begin(), row.end());
  for (double& value : result) value -= largest + std::log(total);
  return result;
}

/// WindowScore by plain loops in double, from the logits [length · vocabulary] of all ids.
WindowScore naive_score(const std::vector<float>& source, const std::vector<float>& model,
                        const std::vector<int>& ids) {
  const std::size_t vocabulary = source.size() / ids.size();
  const std::size_t scored = ids.size() - 1;
  const auto best = [](const std::vector<double>& row) {
    return std::max_element(row.begin(), row.end()) - row.begin();
  };
  WindowScore sum;
  for (std::size_t t = 0; t < scored; ++t) {
    const auto log_p = log_softmax(std::span(source).subspan(t * vocabulary, vocabulary));
    const auto log_q = log_softmax(std::span(model).subspan(t * vocabulary, vocabulary));
    for (std::size_t v = 0; v < vocabulary; ++v) {
      sum.divergence += std::exp(log_p[v]) * (log_p[v] - log_q[v]);
    }
    sum.loss -= log_q[static_cast<std::size_t>(ids[t + 1])];
    sum.agreement += best(log_p) == best(log_q);
    sum.accuracy += best(log_q) == ids[t + 1];
  }
  const auto n = static_cast<double>(scored);
  return {sum.loss / n, sum.divergence / n, sum.agreement / n, sum.accuracy / n};
}

/// Pooled neighbours, dealt to unlike numbers of query heads; the second layer leaves a group out.
search::Grouping allocated_grouping(int query_heads) {
  using search::Group;
  const search::Partition two = search::Partition::parse("0 1 | 2 3");
  const search::Partition three = search::Partition::parse("0 1 | 2 | 3");
  search::Grouping grouping{{{two, two}, {three, three}}};
  for (int query = 0; query < query_heads; ++query) {
    grouping.layers[0].query_to_group.emplace_back(query < 3 ? 0 : 1);
    grouping.layers[1].query_to_group.emplace_back(query < 1 ? 0 : 2);
  }
  return grouping;
}

search::Grouping uneven_grouping() {
  using search::Partition;
  return {{{Partition::parse("0 3 | 1 2"), Partition::parse("0 | 1 2 3")},
           {Partition::one_group(4), Partition::parse("0 1 | 2 | 3")}}};
}

}  // namespace

TEST_CASE("logits equal a naive transformer's, for the source and for a grouping") {
  const TinyLlama plain;
  TinyLlama other;
  other.bias = true;
  other.tied = false;
  other.head_dim = 6;
  TinyLlama shared = other;
  shared.query_heads = 8;
  TinyLlama windowed = TinyLlama::mistral();
  windowed.kv_heads = 4;
  for (const TinyLlama& shape : {plain, other, shared, windowed, TinyLlama::qwen2()}) {
    const TemporaryDirectory directory;
    shape.write(directory.path());
    const LanguageModel model(open(directory.path()), ComputeOptions{});
    const auto tensors = shape.tensors();
    const auto expected = naive_logits(shape, tensors, kIds);
    CHECK(distance(logits(model, kIds), expected) < 1e-5);
    const search::Grouping grouping = uneven_grouping();
    const auto expected_grouped = naive_logits(shape, tensors, kIds, &grouping);
    CHECK(distance(logits(model.grouped(grouping, find_merge("mean")), kIds), expected_grouped) <
          1e-5);
    // The two differ by far more than the tolerance, so the comparison means something.
    CHECK(distance(logits(model, kIds), expected_grouped) > 0.05);
  }
}

TEST_CASE("query heads read the groups that an allocation names") {
  for (const int query_heads : {4, 8}) {
    TinyLlama shape;
    shape.bias = true;
    shape.query_heads = query_heads;
    const TemporaryDirectory directory;
    shape.write(directory.path());
    const LanguageModel model(open(directory.path()), ComputeOptions{});
    const auto tensors = shape.tensors();
    const search::Grouping grouping = allocated_grouping(query_heads);
    const auto found = logits(model.grouped(grouping, find_merge("mean")), kIds);
    CHECK(distance(found, naive_logits(shape, tensors, kIds, &grouping)) < 1e-5);
    search::Grouping natural = grouping;
    for (search::LayerGrouping& layer : natural.layers) layer.query_to_group.clear();
    CHECK(distance(found, naive_logits(shape, tensors, kIds, &natural)) > 0.05);
  }
}

TEST_CASE("an allocation that does not fit the model is refused") {
  const TemporaryDirectory directory;
  TinyLlama().write(directory.path());
  const LanguageModel model(open(directory.path()), ComputeOptions{});
  const auto refusal = [&](const std::function<void(search::LayerGrouping&)>& change) {
    search::Grouping grouping = allocated_grouping(4);
    change(grouping.layers[1]);
    return error_message<InputError>([&] { model.grouped(grouping, find_merge("mean")); });
  };
  CHECK_THAT(refusal([](auto& layer) { layer.query_to_group.pop_back(); }), contains("3 entries"));
  CHECK_THAT(refusal([](auto& layer) { layer.query_to_group[2] = search::Group(3); }),
             contains("0 to 2"));
  CHECK_THAT(refusal([](auto& layer) { layer.query_to_group[2] = search::Group(-1); }),
             contains("0 to 2"));
  CHECK_THAT(refusal([](auto& layer) { layer.values = search::Partition::one_group(4); }),
             contains("value_groups"));
}

TEST_CASE("products of keys follow the definition, for any number of threads") {
  const TemporaryDirectory directory;
  TinyLlama shape;
  shape.bias = true;
  shape.query_heads = 8;
  shape.write(directory.path());
  const LanguageModel model(open(directory.path()), ComputeOptions{});
  search::RandomStream random{search::RandomKey(5)};
  std::vector<std::int32_t> stream;
  for (int i = 0; i < 600 * 8 + 1; ++i) stream.push_back(random.below(shape.vocabulary));
  const Windows windows = Windows::of_stream(stream, 8, "stream");
  search::SilentProgress silent;
  search::set_threads(1);
  const search::KeyGrams one = model.key_grams(windows, {}, silent);
  search::set_threads(3);
  const search::KeyGrams many = model.key_grams(windows, {}, silent);
  search::set_threads(1);
  CHECK(one.query_heads == 8);
  REQUIRE(one.layers.size() == 2);
  CHECK(one.layers == many.layers);
  for (const std::size_t w : {std::size_t{0}, std::size_t{299}, std::size_t{599}}) {
    NaiveTrace trace;
    // The window's inputs: its last id is only predicted.
    naive_logits(shape, shape.tensors(), {windows[w].begin(), windows[w].end() - 1}, nullptr,
                 &trace);
    for (std::size_t layer = 0; layer < 2; ++layer) {
      REQUIRE(one.layers[layer].size() == 600);
      for (std::size_t i = 0; i < 4; ++i) {
        for (std::size_t j = 0; j < 4; ++j) {
          double expected = 0;
          for (const std::vector<double>& key : trace[layer].keys) {
            for (std::size_t c = 0; c < 4; ++c) expected += key[i * 4 + c] * key[j * 4 + c];
          }
          const double found =
              one.layers[layer][w](static_cast<Eigen::Index>(i), static_cast<Eigen::Index>(j));
          CHECK(found == Approx(expected).epsilon(1e-5).margin(1e-4));
        }
      }
    }
  }
}

TEST_CASE("singletons give the source's logits bit by bit") {
  const TemporaryDirectory directory;
  TinyLlama().write(directory.path());
  const LanguageModel model(open(directory.path()), ComputeOptions{});
  const auto alone = search::Grouping::uniform(2, search::Partition::singletons(4));
  search::SilentProgress silent;
  const Windows windows(8, {kIds.begin(), kIds.end()});
  const Merger merger(model, std::make_shared<const Calibration>(model.calibrate(
                                 windows, {.gradient_key = search::RandomKey(1)}, {}, silent)));
  for (const std::string_view merge : merge_names()) {
    const LanguageModel converted = merger.merged_model(alone, find_merge(merge), {});
    CHECK(logits(converted, kIds) == logits(model, kIds));
  }
}

TEST_CASE("duplicated heads merge without loss") {
  TinyLlama shape;
  auto tensors = shape.tensors();
  // Heads 2 and 3 become copies of head 0, keys and values.
  for (const char* module : {"k_proj", "v_proj"}) {
    for (int layer = 0; layer < shape.layers; ++layer) {
      auto& weight =
          tensors.at("model.layers." + std::to_string(layer) + ".self_attn." + module + ".weight");
      const auto block = static_cast<std::ptrdiff_t>(weight.size() / 4);
      for (const int copy : {2, 3}) {
        std::copy_n(weight.begin(), block, weight.begin() + copy * block);
      }
    }
  }
  const TemporaryDirectory directory;
  shape.write(directory.path(), tensors);
  const LanguageModel model(open(directory.path()), ComputeOptions{});
  const auto grouping = search::Grouping::uniform(2, search::Partition::parse("0 2 3 | 1"));
  const auto merged = logits(model.grouped(grouping, find_merge("mean")), kIds);
  const auto source = logits(model, kIds);
  for (std::size_t i = 0; i < source.size(); ++i) CHECK(std::abs(merged[i] - source[i]) < 1e-5);
}

TEST_CASE("window losses follow the definition, for any number of threads") {
  const TemporaryDirectory directory;
  const TinyLlama shape;
  shape.write(directory.path());
  const LanguageModel model(open(directory.path()), ComputeOptions{});
  search::RandomStream random{search::RandomKey(4)};
  std::vector<std::int32_t> stream;
  for (int i = 0; i < 700 * 8 + 3; ++i) stream.push_back(random.below(shape.vocabulary));
  const Windows windows = Windows::of_stream(stream, 8, "stream");
  REQUIRE(windows.size() == 700);
  search::SilentProgress silent;
  search::set_threads(1);
  const std::vector<double> one = model.window_losses(windows, {}, silent);
  search::set_threads(3);
  const std::vector<double> many = model.window_losses(windows, {}, silent);
  search::set_threads(1);
  CHECK(one == many);
  for (const std::size_t w : {std::size_t{0}, std::size_t{311}, std::size_t{699}}) {
    const std::vector<int> ids(windows[w].begin(), windows[w].end());
    CHECK(one[w] == near(naive_loss(naive_logits(shape, shape.tensors(), ids), ids), 1e-5));
  }
}

TEST_CASE("scores beside the source follow the definition, for any number of threads") {
  const TemporaryDirectory directory;
  const TinyLlama shape;
  shape.write(directory.path());
  const LanguageModel source(open(directory.path()), ComputeOptions{});
  const LanguageModel model = source.grouped(uneven_grouping(), find_merge("mean"));
  search::RandomStream random{search::RandomKey(6)};
  std::vector<std::int32_t> stream;
  for (int i = 0; i < 700 * 8 + 3; ++i) stream.push_back(random.below(shape.vocabulary));
  const Windows windows = Windows::of_stream(stream, 8, "stream");
  search::SilentProgress silent;
  search::set_threads(1);
  const auto one = model.compare(source.source_states(windows, {}, silent), {}, silent);
  search::set_threads(3);
  const SourceStates states = source.source_states(windows, {}, silent);
  const auto many = model.compare(states, {}, silent);
  search::set_threads(1);
  REQUIRE(one.size() == windows.size());
  CHECK((one == many));
  const std::vector<double> losses = model.window_losses(windows, {}, silent);
  for (std::size_t w = 0; w < windows.size(); ++w) CHECK(one[w].loss == losses[w]);
  int disagreements = 0;
  for (std::size_t w = 0; w < windows.size(); w += 7) {
    const std::vector<int> ids(windows[w].begin(), windows[w].end());
    const WindowScore expected = naive_score(logits(source, ids), logits(model, ids), ids);
    CHECK(one[w].divergence == Approx(expected.divergence).epsilon(1e-5).margin(1e-8));
    CHECK(one[w].agreement == expected.agreement);
    CHECK(one[w].accuracy == expected.accuracy);
    CHECK(one[w].loss == near(expected.loss, 1e-5));
    disagreements += expected.agreement < 1 && expected.divergence > 0.01;
  }
  CHECK(disagreements > 20);
  // Of the source beside itself nothing is left to rounding.
  for (const auto& own : {source.compare(states, {}, silent), states.scores()}) {
    REQUIRE(own.size() == windows.size());
    const std::vector<double> source_losses = source.window_losses(windows, {}, silent);
    for (std::size_t w = 0; w < windows.size(); ++w) {
      CHECK(own[w].divergence == 0);
      CHECK(own[w].agreement == 1);
      CHECK(own[w].loss == source_losses[w]);
    }
  }
}

TEST_CASE("the divergence of models that are far apart is finite and right") {
  TinyLlama shape;
  auto tensors = shape.tensors();
  for (float& weight : tensors.at("model.norm.weight")) weight *= 150;
  const TemporaryDirectory directory;
  shape.write(directory.path(), tensors);
  const LanguageModel source(open(directory.path()), ComputeOptions{});
  const LanguageModel model = source.grouped(uneven_grouping(), find_merge("mean"));
  const Windows windows(8, {kIds.begin(), kIds.end()});
  search::SilentProgress silent;
  const auto scores = model.compare(source.source_states(windows, {}, silent), {}, silent);
  const auto source_logits = logits(source, kIds);
  const auto model_logits = logits(model, kIds);
  double furthest = 0;
  for (std::size_t i = 0; i < source_logits.size(); ++i) {
    furthest = std::max<double>(furthest, model_logits[i] - source_logits[i]);
  }
  CHECK(furthest > 150);  // e to that is no float32
  const double expected = naive_score(source_logits, model_logits, kIds).divergence;
  REQUIRE(scores.size() == 1);
  CHECK(scores[0].divergence == Approx(expected).epsilon(1e-4));
  CHECK(expected > 10);
}

TEST_CASE("models with unlike vocabularies are not compared") {
  const TemporaryDirectory directory;
  const TemporaryDirectory other_directory;
  TinyLlama().write(directory.path());
  TinyLlama other;
  other.vocabulary = 21;
  other.write(other_directory.path());
  const LanguageModel model(open(directory.path()), ComputeOptions{});
  const LanguageModel wider(open(other_directory.path()), ComputeOptions{});
  search::SilentProgress silent;
  const Windows windows(4, {1, 2, 3, 4, 5});
  const SourceStates states = wider.source_states(windows, {}, silent);
  CHECK_THAT(error_message<InputError>([&] { model.compare(states, {}, silent); }),
             contains("vocabular"));
}

TEST_CASE("sampled text is the model's own, the same for any number of threads") {
  const TemporaryDirectory directory;
  TinyLlama().write(directory.path());
  const LanguageModel model(open(directory.path()), ComputeOptions{});
  search::SilentProgress silent;
  const auto sample = [&](int threads, std::uint64_t seed) {
    search::set_threads(threads);
    const Windows windows = model.sample(40, 12, search::RandomKey(seed), {}, silent);
    search::set_threads(1);
    return std::vector<std::int32_t>(windows.ids().begin(), windows.ids().end());
  };
  const auto ids = sample(1, 1);
  CHECK(ids.size() == 40 * 13);
  CHECK(ids == sample(3, 1));
  CHECK(ids != sample(1, 2));
  for (std::size_t w = 0; w < 40; ++w) CHECK(ids[w * 13] == 1);
  // The cache must not change what is likely: the text's own loss lies near the model's entropy,
  // which random text exceeds by far.
  const Windows own(12, ids);
  std::vector<std::int32_t> shuffled = ids;
  search::RandomStream random{search::RandomKey(3)};
  for (std::size_t i = 0; i < shuffled.size(); ++i) {
    if (i % 13 != 0) shuffled[i] = random.below(20);
  }
  const auto mean = [&](const Windows& windows) {
    double sum = 0;
    for (const double loss : model.window_losses(windows, {}, silent)) sum += loss;
    return sum / static_cast<double>(windows.size());
  };
  CHECK(mean(own) < mean(Windows(12, shuffled)) - 0.2);
}

TEST_CASE("bfloat16 computation stays near float32") {
  const TemporaryDirectory directory;
  TinyLlama().write(directory.path());
  const auto pretrained = open(directory.path());
  const auto wide = logits(LanguageModel(pretrained, ComputeOptions{}), kIds);
  const auto narrow =
      logits(LanguageModel(pretrained, ComputeOptions{.dtype = DType::kBF16}), kIds);
  double largest = 0;
  for (std::size_t i = 0; i < wide.size(); ++i) {
    largest = std::max<double>(largest, std::abs(wide[i] - narrow[i]));
  }
  CHECK(largest < 0.25);
  CHECK(largest > 0);
}

TEST_CASE("inputs that the model cannot take are refused") {
  const TemporaryDirectory directory;
  const TinyLlama shape;
  shape.write(directory.path());
  const LanguageModel model(open(directory.path()), ComputeOptions{});
  CHECK_THROWS_AS(logits(model, {}), InputError);
  CHECK_THROWS_AS(logits(model, {20}), InputError);
  CHECK_THROWS_AS(logits(model, {-1}), InputError);
  CHECK_THROWS_AS(logits(model, std::vector<int>(17, 1)), InputError);
  const auto other = search::Grouping::uniform(2, search::Partition::singletons(3));
  CHECK_THROWS_AS(model.grouped(other, find_merge("mean")), InputError);
  const auto shallow = search::Grouping::uniform(1, search::Partition::singletons(4));
  CHECK_THROWS_AS(model.grouped(shallow, find_merge("mean")), InputError);
}

TEST_CASE("weights that are not numbers are refused by name") {
  for (const char* name : {"model.layers.1.self_attn.k_proj.weight", "model.norm.weight"}) {
    const TemporaryDirectory directory;
    const TinyLlama shape;
    auto tensors = shape.tensors();
    tensors.at(name)[3] = std::numeric_limits<float>::quiet_NaN();
    shape.write(directory.path(), tensors);
    const std::string message =
        error_message<InputError>([&] { LanguageModel(open(directory.path()), ComputeOptions{}); });
    CHECK_THAT(message, contains(name));
  }
}
