#include "models/language_model/label_scores.hpp"

#include <algorithm>
#include <cmath>

#include "search/base/error.hpp"
#include "search/base/progress.hpp"
#include "tests/fixtures/random_checkpoint.hpp"
#include "tests/fixtures/tiny_family.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temporary_directory.hpp"

using namespace regroup;
using namespace regroup::models;
using namespace regroup::tests;
using Ids = std::vector<std::int32_t>;

namespace {

LanguageModel tiny(const TemporaryDirectory& scratch, std::string_view architecture) {
  const nlohmann::json config = tiny_config(architecture);
  write_checkpoint(scratch.path() / "model", config, random_values(config, 4));
  return LanguageModel(
      std::make_shared<const PretrainedModel>(open_model(scratch.path() / "model")),
      ComputeOptions{});
}

/// The logits of a decoder's last position.
std::vector<float> last_logits(const LanguageModel& model, const Ids& source, const Ids& before) {
  const std::vector<float> all = model.logits(ForwardInput{source, before, {}, {}});
  return {all.end() - model.config().vocabulary, all.end()};
}

}  // namespace

TEST_CASE("a target is an exact match where greedy decoding, token by token, finds it") {
  const TemporaryDirectory scratch;
  const LanguageModel model = tiny(scratch, "T5ForConditionalGeneration");
  std::vector<TokenPair> pairs;
  std::vector<double> losses;
  for (std::int32_t i = 0; i < 6; ++i) {
    const Ids source = {3, 5 + i, 9, 1};
    Ids before = {*model.config().decoder_start};
    Ids target;
    double loss = 0;
    for (int step = 0; step < 4; ++step) {
      const std::vector<float> logits = last_logits(model, source, before);
      const auto best = std::ranges::max_element(logits) - logits.begin();
      // The third token of every second target is another one.
      const bool is_other = i % 2 == 1 && step == 2;
      const auto token = is_other ? (best + 1) % std::ssize(logits) : best;
      double sum = 0;
      for (const float logit : logits) sum += std::exp(logit);
      loss += std::log(sum) - logits[static_cast<std::size_t>(token)];
      target.push_back(static_cast<std::int32_t>(token));
      before.push_back(target.back());
    }
    pairs.push_back({source, target});
    losses.push_back(loss / 4);
  }
  search::SilentProgress silent;
  const auto scores = label_scores(model, Windows::of_pairs(pairs), {}, silent);
  REQUIRE(scores.size() == 6);
  for (std::size_t i = 0; i < 6; ++i) {
    CAPTURE(i);
    CHECK(scores[i].loss == Approx(losses[i]).epsilon(1e-5));
    CHECK(scores[i].is_exact == (i % 2 == 0));
  }
}

TEST_CASE("of windows with several labels each all must be found") {
  const TemporaryDirectory scratch;
  const LanguageModel model = tiny(scratch, "LlamaForCausalLM");
  Ids ids;
  for (std::int32_t first = 0; first < 4; ++first) {
    Ids window = {5 + first};
    for (int step = 0; step < 3; ++step) {
      const std::vector<float> all = model.logits(window);
      const std::vector<float> logits(all.end() - model.config().vocabulary, all.end());
      window.push_back(
          static_cast<std::int32_t>(std::ranges::max_element(logits) - logits.begin()));
    }
    if (first == 2) window.back() = (window.back() + 1) % model.config().vocabulary;
    ids.insert(ids.end(), window.begin(), window.end());
  }
  search::SilentProgress silent;
  const Windows windows(3, ids);
  const auto scores = label_scores(model, windows, {}, silent);
  const std::vector<double> losses = model.window_losses(windows, {}, silent);
  REQUIRE(scores.size() == 4);
  for (std::size_t w = 0; w < 4; ++w) {
    CHECK(scores[w].is_exact == (w != 2));
    CHECK(scores[w].loss == losses[w]);
  }
}

TEST_CASE("a model of masked tokens has no labels") {
  const TemporaryDirectory scratch;
  const LanguageModel model = tiny(scratch, "BertForMaskedLM");
  search::SilentProgress silent;
  CHECK(!has_labels(model.config()));
  CHECK_THROWS_AS(label_scores(model, random_windows(model.config(), 2, 1), {}, silent),
                  InputError);
}
