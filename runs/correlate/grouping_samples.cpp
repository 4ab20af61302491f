#include "runs/correlate/grouping_samples.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>

#include "fitness/fitness.hpp"
#include "search/exact/exact_front.hpp"
#include "search/exact/subset_dp.hpp"
#include "search/problem/baselines.hpp"
#include "search/problem/enumeration.hpp"
#include "search/problem/front_selection.hpp"

namespace regroup::runs {
namespace {

constexpr const char* kNeighbour = "neighbour";
constexpr const char* kRandom = "random";
constexpr const char* kAll = "all";

/// The samples of one layer and number of groups, or of one size.
class SampleSet {
 public:
  /// `blank`: what all of them have in common.
  SampleSet(std::span<const PricedProxy> proxies, GroupingSample blank)
      : proxies_(proxies), blank_(std::move(blank)) {}

  /// Adds a grouping, or its origin to the same one.
  void add(const std::string& origin, const search::Grouping& grouping) {
    const auto [known, is_new] = places_.try_emplace(grouping, samples_.size());
    if (!is_new) {
      if (origin != kRandom && origin != kAll) samples_[known->second].origin += "+" + origin;
      return;
    }
    GroupingSample& sample = samples_.emplace_back(blank_);
    sample.origin = origin;
    sample.grouping = grouping;
    for (const PricedProxy& proxy : proxies_) {
      sample.prices.push_back(proxy.problem.objectives(grouping).error);
    }
  }

  void move_to(std::vector<GroupingSample>& all) {
    std::ranges::move(samples_, std::back_inserter(all));
  }

 private:
  std::span<const PricedProxy> proxies_;
  GroupingSample blank_;
  std::vector<GroupingSample> samples_;
  std::map<search::Grouping, std::size_t> places_;
};

/// The source with one layer by this partition.
search::Grouping with_layer(const search::GroupingProblem& problem, int layer,
                            const search::Partition& partition) {
  search::Grouping grouping =
      search::Grouping::uniform(problem.layers(), search::Partition::singletons(problem.heads()));
  grouping.layers[static_cast<std::size_t>(layer)] = {partition, partition};
  return grouping;
}

void add_cheapest(SampleSet& set, const PricedProxy& proxy, int layer, int groups) {
  if (proxy.layers.empty()) return;
  for (const search::BoundedPartition& best : proxy.layers[static_cast<std::size_t>(layer)]) {
    if (best.partition.groups() != groups) continue;
    set.add(proxy.name, with_layer(proxy.problem, layer, best.partition));
  }
}

}  // namespace

std::vector<PricedProxy> price_proxies(const models::PretrainedModel& model,
                                       const models::Calibration& calibration,
                                       const models::MergeRecipe& recipe, std::stop_token stop,
                                       search::Progress& progress) {
  std::vector<PricedProxy> proxies;
  for (const fitness::Fitness* fitness : fitness::all_fitnesses()) {
    if (!fitness::provides(&calibration, fitness->needs())) continue;
    search::GroupingProblem problem(
        fitness->layer_costs({model, &calibration, recipe, stop, progress}), {});
    PricedProxy& proxy =
        proxies.emplace_back(PricedProxy{std::string(fitness->name()), std::move(problem), {}, {}});
    if (!search::is_small(*proxy.problem.units().front().costs)) continue;
    // Subsets are solved by dynamic programming, which draws nothing.
    search::NoStateStore no_state;
    proxy.layers =
        search::solve_units(proxy.problem, {}, {search::RandomKey(0), stop, progress, no_state});
    proxy.front = search::exact_front(proxy.problem, proxy.layers).front;
  }
  return proxies;
}

std::vector<GroupingSample> layer_samples(std::span<const PricedProxy> proxies,
                                          std::span<const int> group_counts,
                                          const SampleDraws& draws) {
  const search::GroupingProblem& problem = proxies.front().problem;
  std::vector<GroupingSample> samples;
  for (int layer = 0; layer < problem.layers(); ++layer) {
    const search::RandomKey layer_key = draws.key.split(static_cast<std::uint64_t>(layer));
    for (const int groups : group_counts) {
      SampleSet set(proxies, {.layer = layer, .groups = groups});
      set.add(kNeighbour,
              with_layer(problem, layer, search::Partition::neighbours(problem.heads(), groups)));
      for (const PricedProxy& proxy : proxies) add_cheapest(set, proxy, layer, groups);
      const auto add = [&](const char* origin, const search::Partition& partition) {
        set.add(origin, with_layer(problem, layer, partition));
      };
      if (draws.all) {
        search::for_each_partition(problem.heads(), [&](const search::Partition& partition) {
          if (partition.groups() == groups) add(kAll, partition);
        });
      } else {
        search::RandomStream random(layer_key.split(static_cast<std::uint64_t>(groups)));
        for (int draw = 0; draw < draws.random; ++draw) {
          add(kRandom, search::random_partition(problem.heads(), groups,
                                                search::GroupSizes::kArbitrary, random));
        }
      }
      set.move_to(samples);
    }
  }
  return samples;
}

std::vector<GroupingSample> model_samples(std::span<const PricedProxy> proxies,
                                          std::span<const KvSize> sizes, const SampleDraws& draws) {
  const search::GroupingProblem& problem = proxies.front().problem;
  std::vector<GroupingSample> samples;
  for (const KvSize& size : sizes) {
    SampleSet set(proxies, {.kv_limit = size.limit});
    set.add(kNeighbour, search::neighbour_grouping_within(problem, size.kv_heads));
    for (const PricedProxy& proxy : proxies) {
      const search::ModelPoint* best = search::best_within(proxy.front, size.kv_heads);
      if (best != nullptr) set.add(proxy.name, best->grouping);
    }
    if (draws.all) {
      search::GroupingEnumeration(problem).for_each([&](const search::Grouping& grouping) {
        if (grouping.kv_heads() == size.kv_heads) set.add(kAll, grouping);
      });
    } else {
      const search::RandomKey key = draws.key.split(static_cast<std::uint64_t>(size.kv_heads));
      for (int draw = 0; draw < draws.random; ++draw) {
        set.add(kRandom, search::random_grouping(problem, size.kv_heads,
                                                 key.split(static_cast<std::uint64_t>(draw))));
      }
    }
    set.move_to(samples);
  }
  return samples;
}

}  // namespace regroup::runs
