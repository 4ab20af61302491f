// Candidates of a measured search, together and the naive way: one conversion and one whole forward
// pass for each. Items are candidates. On examples/demo-llama, 4 layers of 8 heads.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <filesystem>
#include <memory>

#include "models/language_model/candidate_meter.hpp"
#include "search/base/parallel.hpp"
#include "search/problem/baselines.hpp"
#include "search/problem/enumeration.hpp"
#include "tests/bench/support/agreement.hpp"
#include "tests/support/paths.hpp"

namespace {

using namespace regroup;
using search::Grouping;
using search::Partition;

constexpr std::size_t kCandidates = 32;
constexpr int kHeads = 8;
constexpr int kContext = 256;

/// The demo model, and windows of random ids.
struct Scene {
  explicit Scene(int count)
      : model(open()),
        merger(std::make_shared<const models::Merger>(model, nullptr)),
        windows(random_windows(count)) {}

  static models::LanguageModel open() {
    models::use_one_thread_per_operation();
    const std::filesystem::path demo = tests::source_folder() / "examples/demo-llama";
    return {std::make_shared<const models::PretrainedModel>(models::open_model(demo)),
            models::ComputeOptions{}};
  }
  static models::Windows random_windows(int count) {
    search::RandomStream random{search::RandomKey(1)};
    std::vector<std::int32_t> ids;
    for (int i = 0; i < count * (kContext + 1); ++i) ids.push_back(random.below(4096));
    return {kContext, std::move(ids)};
  }

  models::LanguageModel model;
  std::shared_ptr<const models::Merger> merger;
  models::Windows windows;
};

/// What AsymGQA measures at its third layer: earlier layers grouped, this one by many partitions.
std::vector<Grouping> of_one_layer() {
  const Partition half = Partition::neighbours(kHeads, 4);
  std::vector<Grouping> groupings;
  search::for_each_partition(kHeads, [&](const Partition& partition) {
    if (partition.groups() != 4 || groupings.size() == kCandidates) return;
    groupings.push_back(Grouping::uniform(4, Partition::singletons(kHeads)));
    groupings.back().layers[0] = groupings.back().layers[1] = {half, half};
    groupings.back().layers[2] = {partition, partition};
  });
  return groupings;
}

/// Whole models that have nothing in common.
std::vector<Grouping> of_all_layers() {
  std::vector<Grouping> groupings;
  for (std::size_t i = 0; i < kCandidates; ++i) {
    groupings.emplace_back();
    for (std::size_t layer = 0; layer < 4; ++layer) {
      search::RandomStream random(search::RandomKey(2).split(i).split(layer));
      const Partition partition =
          search::random_partition(kHeads, 4, search::GroupSizes::kArbitrary, random);
      groupings.back().layers.push_back({partition, partition});
    }
  }
  return groupings;
}

std::vector<std::vector<double>> one_by_one(const Scene& scene,
                                            const std::vector<Grouping>& groupings) {
  search::SilentProgress silent;
  std::vector<std::vector<double>> losses;
  for (const Grouping& grouping : groupings) {
    losses.push_back(scene.merger->merged_model(grouping, models::MergeRecipe(), {})
                         .window_losses(scene.windows, {}, silent));
  }
  return losses;
}

std::vector<std::vector<double>> together(const models::CandidateMeter& meter,
                                          const std::vector<Grouping>& groupings) {
  search::SilentProgress silent;
  return meter.measure(groupings, {}, models::TokenMeasure::kLoss, {}, silent);
}

void measure(benchmark::State& state, const std::vector<Grouping>& groupings, bool naive) {
  const Scene scene(static_cast<int>(state.range(0)) / kContext);
  search::set_threads(2);
  bench::require(together({scene.merger, scene.windows}, groupings) == one_by_one(scene, groupings),
                 "candidates measured together have other losses");
  for (auto unused : state) {
    if (naive) {
      benchmark::DoNotOptimize(one_by_one(scene, groupings));
    } else {
      benchmark::DoNotOptimize(together({scene.merger, scene.windows}, groupings));
    }
  }
  search::set_threads(1);
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(groupings.size()));
}

void candidates_layer(benchmark::State& state) {
  measure(state, of_one_layer(), false);
}
void candidates_layer_naive(benchmark::State& state) {
  measure(state, of_one_layer(), true);
}
void candidates_models(benchmark::State& state) {
  measure(state, of_all_layers(), false);
}
void candidates_models_naive(benchmark::State& state) {
  measure(state, of_all_layers(), true);
}

BENCHMARK(candidates_layer)->ArgName("tokens")->Arg(2048)->Arg(8192)->UseRealTime();
BENCHMARK(candidates_layer_naive)->ArgName("tokens")->Arg(2048)->Arg(8192)->UseRealTime();
BENCHMARK(candidates_models)->ArgName("tokens")->Arg(2048)->Arg(8192)->UseRealTime();
BENCHMARK(candidates_models_naive)->ArgName("tokens")->Arg(2048)->Arg(8192)->UseRealTime();

}  // namespace
