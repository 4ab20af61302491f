#include "search/baselines.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <vector>

#include "search/error.hpp"

namespace regroup::search {
namespace {

void require_reachable(int kv_heads, int layers) {
  if (kv_heads >= 2 * layers) return;
  throw InputError({.what = "KV size is below one group in every layer",
                    .expected = fmt::format("at least {} KV heads", 2 * layers),
                    .found = std::to_string(kv_heads)});
}

/// Each of `groups` groups gets one of the shuffled heads, the others go anywhere.
Partition random_partition(int heads, int groups, RandomStream& random) {
  std::vector<std::size_t> order(static_cast<std::size_t>(heads));
  std::iota(order.begin(), order.end(), std::size_t{0});
  random.shuffle(std::span(order));
  std::vector<Label> labels(order.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    const int place = static_cast<int>(i);
    labels[order[i]] = static_cast<Label>(place < groups ? place : random.below(groups));
  }
  return Partition::from_labels(labels);
}

/// Groups of every unit: one each, the others dealt one by one to units with room.
std::vector<int> random_group_counts(int units, int heads, int groups, RandomStream& random) {
  std::vector<int> counts(static_cast<std::size_t>(units), 1);
  std::vector<std::size_t> open;
  for (std::size_t u = 0; u < counts.size() && heads > 1; ++u) open.push_back(u);
  for (int left = groups - units; left > 0 && !open.empty(); --left) {
    const std::size_t pick = random.below(open.size());
    if (++counts[open[pick]] == heads) open.erase(open.begin() + static_cast<std::ptrdiff_t>(pick));
  }
  return counts;
}

}  // namespace

Grouping neighbour_grouping(int layers, int heads, int kv_heads) {
  require_reachable(kv_heads, layers);
  const int groups = std::min(heads, kv_heads / (2 * layers));
  return Grouping::uniform(layers, Partition::neighbours(heads, groups));
}

Grouping random_grouping(int layers, int heads, PartitionSharing sharing, int kv_heads,
                         RandomKey key) {
  require_reachable(kv_heads, layers);
  const bool joint = sharing == PartitionSharing::kJoint;
  const int units = joint ? layers : 2 * layers;
  RandomStream random(key);
  const std::vector<int> counts =
      random_group_counts(units, heads, joint ? kv_heads / 2 : kv_heads, random);
  Grouping result;
  for (std::size_t u = 0; u < counts.size();) {
    const Partition keys = random_partition(heads, counts[u++], random);
    if (joint) {
      result.layers.push_back({keys, keys});
    } else {
      result.layers.push_back({keys, random_partition(heads, counts[u++], random)});
    }
  }
  return result;
}

}  // namespace regroup::search
