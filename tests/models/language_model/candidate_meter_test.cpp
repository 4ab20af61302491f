// Candidates measured together, one after the other, and each by its own conversion.

#include "models/language_model/candidate_meter.hpp"

#include <algorithm>
#include <memory>

#include "models/merge/operators/merge_table.hpp"
#include "search/base/error.hpp"
#include "search/base/parallel.hpp"
#include "search/problem/enumeration.hpp"
#include "tests/fixtures/tiny_llama.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temporary_directory.hpp"

using namespace regroup;
using namespace regroup::models;
using namespace regroup::tests;

namespace {

/// A tiny model with a calibration, two batches of windows, and many groupings.
class Scene {
 public:
  Scene() {
    TinyLlama().write(scratch_.path());
    model_ = std::make_unique<LanguageModel>(
        std::make_shared<const PretrainedModel>(open_model(scratch_.path())), ComputeOptions{});
    search::SilentProgress silent;
    auto calibration = std::make_shared<const Calibration>(
        model_->calibrate(random_windows(161, 1), {}, {}, silent));
    merger_ = std::make_shared<const Merger>(*model_, calibration);
    windows_ = std::make_unique<Windows>(random_windows(16 * 130 + 1, 2));
    std::vector<search::Partition> partitions;
    search::for_each_partition(4, [&](const auto& partition) { partitions.push_back(partition); });
    for (std::size_t i = 0; i < partitions.size(); i += 2) {
      for (std::size_t j = 0; j < partitions.size(); j += 3) {
        groupings_.push_back(
            {{{partitions[i], partitions[(i * j) % 15]}, {partitions[j], partitions[j]}}});
      }
    }
  }

  CandidateMeter meter() const { return {merger_, *windows_}; }
  const Windows& windows() const { return *windows_; }
  std::span<const search::Grouping> groupings() const { return groupings_; }
  LanguageModel merged_model(const search::Grouping& grouping, const MergeRecipe& recipe) const {
    return merger_->merged_model(grouping, recipe, {});
  }
  const LanguageModel& model() const { return *model_; }

 private:
  static Windows random_windows(int ids, std::uint64_t key) {
    std::vector<std::int32_t> stream;
    search::RandomStream random{search::RandomKey(key)};
    for (int i = 0; i < ids; ++i) stream.push_back(random.below(20));
    return Windows::of_stream(stream, 16, "stream");
  }

  TemporaryDirectory scratch_;
  std::unique_ptr<LanguageModel> model_;
  std::shared_ptr<const Merger> merger_;
  std::unique_ptr<Windows> windows_;
  std::vector<search::Grouping> groupings_;
};

std::vector<std::vector<double>> losses(const CandidateMeter& meter,
                                        std::span<const search::Grouping> groupings,
                                        const MergeRecipe& recipe) {
  search::SilentProgress silent;
  return meter.measure(groupings, {recipe}, TokenMeasure::kLoss, {}, silent);
}

}  // namespace

TEST_CASE("candidates measured together have the losses of their conversions, to the bit") {
  const Scene scene;
  search::SilentProgress silent;
  for (const MergeRecipe& recipe : {MergeRecipe(), MergeRecipe(find_merge("optimal"))}) {
    std::vector<std::vector<double>> expected;
    for (const search::Grouping& grouping : scene.groupings()) {
      expected.push_back(
          scene.merged_model(grouping, recipe).window_losses(scene.windows(), {}, silent));
    }
    const CandidateMeter meter = scene.meter();
    CHECK(losses(meter, scene.groupings(), recipe) == expected);
    // With the states that the first call left, in another order, and one by one.
    CHECK(losses(meter, scene.groupings(), recipe) == expected);
    std::vector<search::Grouping> backwards(scene.groupings().rbegin(), scene.groupings().rend());
    std::ranges::reverse(expected);
    for (const int threads : {1, 3, 8}) {
      search::set_threads(threads);
      CHECK(losses(scene.meter(), backwards, recipe) == expected);
    }
    search::set_threads(1);
    const CandidateMeter single = scene.meter();
    for (std::size_t i = 0; i < backwards.size(); ++i) {
      CHECK(losses(single, {&backwards[i], 1}, recipe).front() == expected[i]);
    }
  }
}

TEST_CASE("recipes and refitted layers of one meter are not mistaken for each other") {
  const Scene scene;
  search::SilentProgress silent;
  const CandidateMeter meter = scene.meter();
  const auto three = scene.groupings().subspan(7, 3);
  const SourceStates source = scene.model().source_states(scene.windows(), {}, silent);
  for (int repeat = 0; repeat < 3; ++repeat) {
    for (const MergeRecipe& recipe : {MergeRecipe(), MergeRecipe(find_merge("optimal")),
                                      MergeRecipe(find_merge("optimal"), false, Refit::kOutput)}) {
      const auto scores = meter.scores(three, {recipe}, {}, silent);
      for (std::size_t i = 0; i < three.size(); ++i) {
        const bool same =
            scores[i] == scene.merged_model(three[i], recipe).compare(source, {}, silent);
        CHECK(same);
      }
    }
  }
}

TEST_CASE("measuring no candidates gives nothing, and a stop is heard") {
  const Scene scene;
  CHECK(losses(scene.meter(), {}, MergeRecipe()).empty());
  std::stop_source stop;
  stop.request_stop();
  search::SilentProgress silent;
  CHECK_THROWS_AS(
      scene.meter().measure(scene.groupings(), {}, TokenMeasure::kLoss, stop.get_token(), silent),
      Interrupted);
}
