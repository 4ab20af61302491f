#include "search/problem/baselines.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <vector>

#include "search/base/error.hpp"

namespace regroup::search {
namespace {

void require_reachable(int kv_heads, const GroupingProblem& problem) {
  if (kv_heads >= problem.smallest_kv_heads()) return;
  throw InputError({.what = "KV size is below the smallest grouping",
                    .expected = fmt::format("at least {} KV heads", problem.smallest_kv_heads()),
                    .found = std::to_string(kv_heads)});
}

/// Numbers of groups of all units, as places in their lists of allowed numbers.
using Places = std::vector<std::size_t>;

/// KV heads that the next step of unit u would add; 0 where it has no more.
int step_size(const Unit& unit, std::size_t place) {
  if (place + 1 == unit.group_counts.size()) return 0;
  return unit.kv_heads_per_group * (unit.group_counts[place + 1] - unit.group_counts[place]);
}

Places random_places(const GroupingProblem& problem, int kv_heads, RandomStream& random) {
  Places places(problem.units().size(), 0);
  int left = kv_heads - problem.smallest_kv_heads();
  std::vector<std::size_t> open(places.size());
  std::iota(open.begin(), open.end(), std::size_t{0});
  while (!open.empty()) {
    const std::size_t pick = random.below(open.size());
    const std::size_t u = open[pick];
    const int step = step_size(problem.units()[u], places[u]);
    if (step == 0 || step > left) {
      open.erase(open.begin() + static_cast<std::ptrdiff_t>(pick));
    } else {
      ++places[u];
      left -= step;
    }
  }
  return places;
}

std::vector<int> random_group_counts(const GroupingProblem& problem, int kv_heads,
                                     RandomStream& random) {
  const bool uniform = problem.rules().shape == GroupShape::kStandard;
  const Grouping widest = neighbour_grouping_within(problem, kv_heads);
  const Places places = uniform ? Places{} : random_places(problem, kv_heads, random);
  std::vector<int> counts;
  for (std::size_t u = 0; u < problem.units().size(); ++u) {
    counts.push_back(uniform ? problem.partition_of(widest, u).groups()
                             : problem.units()[u].group_counts[places[u]]);
  }
  return counts;
}

}  // namespace

Partition random_partition(int heads, int groups, GroupSizes sizes, RandomStream& random) {
  std::vector<std::size_t> order(static_cast<std::size_t>(heads));
  std::iota(order.begin(), order.end(), std::size_t{0});
  random.shuffle(std::span(order));
  std::vector<Label> labels(order.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    const int place = static_cast<int>(i);
    const bool in_turn = place < groups || sizes == GroupSizes::kEqual;
    labels[order[i]] = static_cast<Label>(in_turn ? place % groups : random.below(groups));
  }
  return Partition::from_labels(labels);
}

Grouping neighbour_grouping(const GroupingProblem& problem, int groups) {
  std::vector<Partition> partitions;
  for (const Unit& unit : problem.units()) {
    partitions.push_back(Partition::neighbours(unit.heads(), unit.groups_within(groups)));
  }
  return problem.grouping(partitions);
}

Grouping neighbour_grouping_within(const GroupingProblem& problem, int kv_heads) {
  require_reachable(kv_heads, problem);
  Grouping best = mqa_grouping(problem);
  for (int groups = 2; groups <= problem.heads(); ++groups) {
    Grouping next = neighbour_grouping(problem, groups);
    if (next.size() > kv_heads) break;
    best = std::move(next);
  }
  return best;
}

Grouping mqa_grouping(const GroupingProblem& problem) {
  return neighbour_grouping(problem, 1);
}

Grouping random_grouping(const GroupingProblem& problem, int kv_heads, RandomKey key) {
  require_reachable(kv_heads, problem);
  const GroupSizes sizes =
      problem.rules().equal_sizes() ? GroupSizes::kEqual : GroupSizes::kArbitrary;
  RandomStream random(key);
  const std::vector<int> counts = random_group_counts(problem, kv_heads, random);
  std::vector<Partition> partitions;
  for (std::size_t u = 0; u < counts.size(); ++u) {
    partitions.push_back(random_partition(problem.units()[u].heads(), counts[u], sizes, random));
  }
  return problem.grouping(partitions);
}

}  // namespace regroup::search
