#include "models/passes/continuation_scores.hpp"

#include <atomic>
#include <limits>
#include <set>

#include "models/language_model/language_model.hpp"
#include "search/base/error.hpp"
#include "search/base/parallel.hpp"
#include "search/base/random.hpp"
#include "tests/fixtures/language_model/text_model.hpp"
#include "tests/fixtures/tiny_llama.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/error_message.hpp"
#include "tests/support/near.hpp"
#include "tests/support/temporary_directory.hpp"

using namespace regroup;
using namespace regroup::models;
using namespace regroup::tests;

namespace {

/// Counts what is reported.
class Counter : public search::SilentProgress {
 public:
  void advance(std::size_t steps) override { steps_ += steps; }
  std::size_t steps() const { return steps_; }

 private:
  std::atomic<std::size_t> steps_{0};
};

/// Random ids with any number of them scored; every third continuation shares its inputs with the
/// one before it.
std::vector<Continuation> random_continuations(std::size_t count, std::size_t longest) {
  search::RandomStream random{search::RandomKey(5)};
  const auto id = [&] { return static_cast<std::int32_t>(random.below(20)); };
  std::vector<Continuation> continuations;
  for (std::size_t i = 0; i < count; ++i) {
    Continuation next;
    if (i % 3 == 2) {
      next = continuations.back();
      next.ids.back() = id();
    } else {
      next.ids.resize(2 + random.below(longest));
      for (std::int32_t& one : next.ids) one = id();
    }
    next.scored = 1 + random.below(next.ids.size() - 1);
    continuations.push_back(next);
  }
  return continuations;
}

struct Scene {
  explicit Scene(const TinyLlama& shape = {}) : model(opened(shape), ComputeOptions{}) {}

  std::shared_ptr<const PretrainedModel> opened(const TinyLlama& shape) const {
    shape.write(scratch.path());
    return open_text_model(scratch.path());
  }
  std::vector<ContinuationScore> scores(const std::vector<Continuation>& continuations) const {
    search::SilentProgress silent;
    return model.continuation_scores(continuations, {}, silent);
  }

  TemporaryDirectory scratch;
  LanguageModel model;
};

}  // namespace

TEST_CASE("continuations are scored as token by token passes score them") {
  for (const TinyLlama& shape : {TinyLlama(), TinyLlama::mistral(), TinyLlama::qwen2()}) {
    CAPTURE(shape.architecture);
    const Scene scene(shape);
    const auto continuations = random_continuations(150, 16);
    const auto scores = scene.scores(continuations);
    REQUIRE(scores.size() == continuations.size());
    for (std::size_t i = 0; i < scores.size(); ++i) {
      const auto expected = naive_score(scene.model, continuations[i].ids, continuations[i].scored);
      CHECK(scores[i].log_probability == near(expected.log_probability, 1e-4));
      CHECK(scores[i].greedy == expected.greedy);
    }
  }
}

TEST_CASE("a greedy continuation is one of most likely tokens alone") {
  const Scene scene;
  std::vector<std::int32_t> ids = {1, 5, 3};
  for (int step = 0; step < 4; ++step) {
    const std::vector<float> logits = scene.model.logits(ids);
    const auto row = std::span(logits).last(20);
    ids.push_back(static_cast<std::int32_t>(std::ranges::max_element(row) - row.begin()));
  }
  CHECK(scene.scores({{ids, 4}})[0].greedy);
  for (std::size_t wrong = 3; wrong < ids.size(); ++wrong) {
    std::vector<std::int32_t> other = ids;
    other[wrong] = (other[wrong] + 1) % 20;
    CHECK_FALSE(scene.scores({{other, 4}})[0].greedy);
  }
}

TEST_CASE("scores of continuations do not depend on the number of threads") {
  const Scene scene;
  const auto continuations = random_continuations(1000, 16);
  std::vector<double> first;
  for (const int threads : {1, 4}) {
    search::set_threads(threads);
    std::vector<double> values;
    for (const auto& score : scene.scores(continuations)) values.push_back(score.log_probability);
    if (first.empty()) first = values;
    CHECK(values == first);
  }
  search::set_threads(1);
}

TEST_CASE("batches hold inputs of one length, each of them once") {
  const auto continuations = random_continuations(2000, 40);
  const auto batches = continuation_batches(continuations, Device());
  std::set<std::vector<std::int32_t>> inputs;
  std::set<std::size_t> seen;
  std::size_t shared = 0;
  std::size_t length = std::numeric_limits<std::size_t>::max();
  for (const ContinuationBatch& batch : batches) {
    CHECK(batch.length <= length);
    CHECK(batch.rows.size() * batch.length <= 2048);
    length = batch.length;
    for (const auto& row : batch.rows) {
      const auto of_row = continuations[row.front()].inputs();
      CHECK(inputs.insert({of_row.begin(), of_row.end()}).second);
      shared += row.size() > 1;
      for (const std::size_t i : row) {
        CHECK(seen.insert(i).second);
        CHECK(continuations[i].inputs().size() == batch.length);
        CHECK(std::ranges::equal(continuations[i].inputs(), of_row));
      }
    }
  }
  CHECK(seen.size() == continuations.size());
  CHECK(shared > 500);
  CHECK(batches.size() < 80);
}

TEST_CASE("continuations that a model cannot read are refused") {
  const Scene scene;
  const auto refusal = [&](const Continuation& continuation) {
    return error_message<InputError>([&] { scene.scores({continuation}); });
  };
  CHECK_THAT(refusal({{1, 20}, 1}), contains("outside the model's vocabulary"));
  CHECK_THAT(refusal({std::vector<std::int32_t>(18, 3), 1}), contains("context"));
  CHECK_THAT(refusal({{7}, 1}), contains("context"));
}

TEST_CASE("scoring continuations reports input tokens and stops when asked") {
  const Scene scene;
  const auto continuations = random_continuations(100, 16);
  std::size_t tokens = 0;
  for (const Continuation& continuation : continuations) tokens += continuation.inputs().size();
  Counter counter;
  scene.model.continuation_scores(continuations, {}, counter);
  CHECK(counter.steps() == tokens);
  std::stop_source stop;
  stop.request_stop();
  CHECK_THROWS_AS(scene.model.continuation_scores(continuations, stop.get_token(), counter),
                  Interrupted);
  CHECK(scene.scores({}).empty());
}

TEST_CASE("a log-probability that is no number is a failure") {
  TinyLlama shape;
  auto tensors = shape.tensors();
  for (float& value : tensors.at("model.norm.weight")) value = 3.4e38F;
  const TemporaryDirectory scratch;
  shape.write(scratch.path(), tensors);
  const LanguageModel model(open_text_model(scratch.path()), ComputeOptions{});
  search::SilentProgress silent;
  const std::vector<Continuation> one = {{{1, 2, 3}, 2}};
  CHECK_THROWS_AS(model.continuation_scores(one, {}, silent), WorkError);
}
