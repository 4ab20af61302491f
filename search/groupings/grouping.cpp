#include "search/groupings/grouping.hpp"

#include <algorithm>
#include <cmath>

namespace regroup::search {

std::vector<Group> LayerGrouping::stored(const Partition& partition) const {
  std::vector<char> used(static_cast<std::size_t>(partition.groups()), has_allocation() ? 0 : 1);
  for (const Group group : query_to_group) used[group.at()] = 1;
  std::vector<Group> groups;
  for (int g = 0; g < partition.groups(); ++g) {
    if (used[static_cast<std::size_t>(g)] != 0) groups.emplace_back(g);
  }
  return groups;
}

int LayerGrouping::kv_heads() const {
  if (!has_allocation()) return keys.groups() + values.groups();
  return static_cast<int>(stored_keys().size() + stored_values().size());
}

bool LayerGrouping::is_source() const {
  const int heads = keys.heads();
  if (keys.groups() != heads || values.groups() != heads) return false;
  const int queries_per_head = static_cast<int>(query_to_group.size()) / heads;
  for (std::size_t query = 0; query < query_to_group.size(); ++query) {
    if (query_to_group[query].value() != static_cast<int>(query) / queries_per_head) return false;
  }
  return true;
}

Grouping Grouping::uniform(int layers, const Partition& partition) {
  return {std::vector<LayerGrouping>(static_cast<std::size_t>(layers), {partition, partition})};
}

int Grouping::kv_heads() const {
  int total = 0;
  for (const LayerGrouping& layer : layers) total += layer.kv_heads();
  return total;
}

int Grouping::source_kv_heads() const {
  int total = 0;
  for (const LayerGrouping& layer : layers) total += layer.keys.heads() + layer.values.heads();
  return total;
}

bool Grouping::is_source() const {
  return std::all_of(layers.begin(), layers.end(),
                     [](const LayerGrouping& layer) { return layer.is_source(); });
}

double Grouping::kv_ratio() const {
  return static_cast<double>(kv_heads()) / static_cast<double>(source_kv_heads());
}

int kv_heads_within(double ratio, int source_kv_heads) {
  // A user's 0.3 of 10 heads means 3 although 0.3 · 10 may round below it.
  constexpr double kRounding = 1e-9;
  return static_cast<int>(std::floor(ratio * source_kv_heads + kRounding));
}

}  // namespace regroup::search
