// The workers of this process say what conversions say, with a tiny model.

#include <algorithm>

#include "fitness/measuring/measuring_service.hpp"
#include "models/merge/operators/merge_table.hpp"
#include "search/base/parallel.hpp"
#include "search/problem/enumeration.hpp"
#include "tests/fixtures/tiny_llama.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temporary_directory.hpp"

using namespace regroup;
using namespace regroup::fitness;
using namespace regroup::tests;
using models::CacheType;
using models::RefitScope;
using models::WindowScore;

namespace {

/// A tiny model with a calibration and some windows; every grouping of its first layer's keys.
class ModelScene {
 public:
  ModelScene() {
    TinyLlama{.width = 64, .head_dim = 32}.write(scratch_.path());
    const auto pretrained =
        std::make_shared<const models::PretrainedModel>(models::open_model(scratch_.path()));
    const models::LanguageModel model(pretrained, models::ComputeOptions{});
    search::SilentProgress silent;
    merger = std::make_shared<const models::Merger>(
        model, std::make_shared<const models::Calibration>(
                   model.calibrate(random_windows(161, 1), {}, {}, silent)));
    const auto alone = search::Partition::singletons(4);
    const models::MergeRecipe refitted(models::find_merge("optimal"), false,
                                       models::Refit::kOutput);
    search::for_each_partition(4, [&](const search::Partition& partition) {
      const search::Grouping grouping{{{partition, alone}, {alone, partition}}};
      candidates.push_back({grouping});
      if (partition.groups() != 2) return;
      for (const CacheType cache : {CacheType::kExact, CacheType::kQ8_0, CacheType::kQ4_0}) {
        candidates.push_back({grouping, {refitted, RefitScope::kAllFollowing, cache}});
        candidates.push_back({grouping, {{}, RefitScope::kAllFollowing, cache}});
      }
      candidates.push_back({grouping, {refitted, RefitScope::kGroupedLayers}});
    });
    const search::Grouping source{{{alone, alone}, {alone, alone}}};
    candidates.push_back({source, {refitted, RefitScope::kAllFollowing, CacheType::kQ4_0}});
  }

  /// By the model's own conversion beside its source, without a meter.
  std::vector<std::vector<WindowScore>> one_by_one() const {
    search::SilentProgress silent;
    const models::SourceStates states = merger->source().source_states(windows, {}, silent);
    std::vector<std::vector<WindowScore>> all;
    for (const auto& [grouping, conversion] : candidates) {
      const models::LanguageModel model =
          merger->merged_model(grouping, conversion.recipe, {}, conversion.scope);
      all.push_back(model.with_cache(conversion.cache).compare(states, {}, silent));
    }
    return all;
  }

  models::Windows windows = random_windows(16 * 130 + 1, 2);  // two batches
  std::shared_ptr<const models::Merger> merger;
  std::vector<Candidate> candidates;

 private:
  static models::Windows random_windows(int ids, std::uint64_t key) {
    std::vector<std::int32_t> stream;
    search::RandomStream random{search::RandomKey(key)};
    for (int i = 0; i < ids; ++i) stream.push_back(random.below(20));
    return models::Windows::of_stream(stream, 16, "stream");
  }
  TemporaryDirectory scratch_;
};

template <class Value>
std::vector<std::vector<Value>> by_service(const Workers<Value>& workers,
                                           std::span<const Candidate> candidates) {
  const NoMeasurements<Value> nothing;
  search::SilentProgress silent;
  return MeasuringService<Value>(workers, nothing, {}).measure(candidates, silent);
}

}  // namespace

TEST_CASE("workers say what conversions beside the source say, to the bit, for any threads") {
  const ModelScene scene;
  std::vector<std::vector<WindowScore>> expected = scene.one_by_one();
  std::vector<std::vector<double>> losses;
  for (const auto& scores : expected) {
    losses.push_back(models::values_of(scores, &WindowScore::loss));
  }
  std::vector<Candidate> candidates = scene.candidates;
  for (const int threads : {1, 4}) {
    search::set_threads(threads);
    const models::CandidateMeter meter(scene.merger, scene.windows);
    const bool same_scores = by_service(*score_workers(meter), candidates) == expected;
    CHECK(same_scores);
    const auto means = mean_workers(meter, models::TokenMeasure::kLoss);
    const bool same_losses = by_service(*means, candidates) == losses;
    CHECK(same_losses);
    std::ranges::reverse(candidates);
    std::ranges::reverse(expected);
    std::ranges::reverse(losses);
  }
  search::set_threads(1);
}
