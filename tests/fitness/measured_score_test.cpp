#include "fitness/measured_score.hpp"

#include <algorithm>
#include <map>

#include "fitness/loss_estimate.hpp"
#include "models/merge/operators/merge_table.hpp"
#include "search/base/parallel.hpp"
#include "tests/fixtures/tiny_llama.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temporary_directory.hpp"

using namespace regroup;
using namespace regroup::fitness;
using namespace regroup::tests;

namespace {

/// Keeps losses in memory and counts.
class CountingMemory : public Measurements<double> {
 public:
  std::optional<std::vector<double>> recall(const Candidate& candidate) const override {
    const auto found = kept_.find(candidate.grouping);
    return found == kept_.end() ? std::nullopt : std::optional(found->second);
  }
  void remember(const Candidate& candidate, const std::vector<double>& losses) const override {
    kept_[candidate.grouping] = losses;
    ++measured_;
  }
  int measured() const { return measured_; }

 private:
  mutable std::map<search::Grouping, std::vector<double>> kept_;
  mutable int measured_ = 0;
};

}  // namespace

namespace {

/// A tiny model, some windows and groupings of it.
struct Scene {
  TemporaryDirectory scratch;
  models::LanguageModel model = open();
  models::Windows windows = random_windows();
  models::CandidateMeter meter{std::make_shared<const models::Merger>(model, nullptr), windows};
  std::unique_ptr<Workers<double>> losses = mean_workers(meter, models::TokenMeasure::kLoss);

  static search::Partition alone() { return search::Partition::singletons(4); }
  static std::vector<search::Grouping> groupings() {
    const auto pair = search::Partition::parse("0 2 | 1 | 3");
    const auto one = search::Partition::parse("0 1 2 3");
    return {{{{pair, alone()}, {alone(), one}}},
            {{{alone(), alone()}, {alone(), alone()}}},
            {{{pair, alone()}, {one, pair}}}};
  }

 private:
  models::LanguageModel open() const {
    TinyLlama().write(scratch.path());
    return {std::make_shared<const models::PretrainedModel>(models::open_model(scratch.path())),
            models::ComputeOptions{}};
  }
  static models::Windows random_windows() {
    std::vector<std::int32_t> stream;
    search::RandomStream random{search::RandomKey(61)};
    for (int i = 0; i < 401; ++i) stream.push_back(random.below(20));
    return models::Windows::of_stream(stream, 16, "stream");
  }
};

}  // namespace

TEST_CASE("a measured score is the converted model's mean loss, measured once, for any threads") {
  const Scene scene;
  const std::vector<search::Grouping> groupings = Scene::groupings();
  search::SilentProgress silent;
  for (const char* merge_name : {"mean", "first"}) {
    const models::MergeOperator& merge = models::find_merge(merge_name);
    std::vector<double> expected;
    for (const search::Grouping& grouping : groupings) {
      expected.push_back(
          estimate(scene.model.grouped(grouping, merge).window_losses(scene.windows, {}, silent))
              .mean);
    }
    const CountingMemory memory;
    const MeasuringService<double> service(*scene.losses, memory, {});
    const MeasuredScore score(service, merge);
    CHECK(score.score(groupings[0]) == expected[0]);
    CHECK(score.scores(groupings) == expected);
    CHECK(score.scores(groupings) == expected);
    CHECK(memory.measured() == 3);
    const std::vector<search::Grouping> twice = {groupings[2], groupings[2]};
    CHECK(score.scores(twice) == std::vector{expected[2], expected[2]});
    const CountingMemory other;
    search::set_threads(3);
    CHECK(MeasuredScore({*scene.losses, other, {}}, merge).scores(groupings) == expected);
    search::set_threads(1);
  }
}

TEST_CASE("the measured error is the share of tokens that the model does not find most likely") {
  const Scene scene;
  const models::MergeRecipe recipe;
  const CountingMemory memory;
  const auto workers = mean_workers(scene.meter, models::TokenMeasure::kError);
  const MeasuringService<double> service(*workers, memory, {});
  const MeasuredScore score(service, recipe);
  const std::vector<search::Grouping> groupings = Scene::groupings();
  const std::vector<double> errors = score.scores(groupings);
  for (std::size_t i = 0; i < groupings.size(); ++i) {
    const models::LanguageModel model = scene.model.grouped(groupings[i], recipe);
    int wrong = 0;
    for (std::size_t w = 0; w < scene.windows.size(); ++w) {
      const auto window = scene.windows.ids().subspan(w * 17, 17);
      const std::vector<float> logits = model.logits(window.first(16));
      for (std::ptrdiff_t t = 0; t < 16; ++t) {
        const auto token = logits.begin() + t * 20;
        wrong += std::max_element(token, token + 20) - token == window[size_t(t) + 1] ? 0 : 1;
      }
    }
    CHECK(errors[i] == Approx(wrong / 400.0).epsilon(1e-12));
    CHECK(wrong > 0);
    CHECK(wrong < 400);
  }
}

TEST_CASE("measured fitnesses are found by name, others are none") {
  CHECK(find_measured_fitness("loss")->field == "selection_loss");
  CHECK(find_measured_fitness("accuracy")->measure == models::TokenMeasure::kError);
  CHECK(find_measured_fitness("wse") == nullptr);
}
