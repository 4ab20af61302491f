#include "search/groupings/grouping.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <numeric>

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

bool GroupWidths::has_free_frequencies() const {
  return free_frequencies ||
         std::any_of(keys.begin(), keys.end(), [&](int width) { return width % head_dim != 0; });
}

std::string GroupWidths::to_string() const {
  return fmt::format("{} | {}{}", fmt::join(keys, " "), fmt::join(values, " "),
                     has_free_frequencies() ? " free" : "");
}

double LayerGrouping::size() const {
  if (!widths) return kv_heads();
  const int of_keys = std::accumulate(widths->keys.begin(), widths->keys.end(), 0);
  return static_cast<double>(
             std::accumulate(widths->values.begin(), widths->values.end(), of_keys)) /
         widths->head_dim;
}

bool LayerGrouping::is_source() const {
  if (widths) return false;
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

double Grouping::size() const {
  double total = 0;
  for (const LayerGrouping& layer : layers) total += layer.size();
  return total;
}

bool Grouping::has_widths() const {
  return std::any_of(layers.begin(), layers.end(),
                     [](const LayerGrouping& layer) { return layer.widths.has_value(); });
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
  return size() / source_kv_heads();
}

double size_within(double ratio, int source_kv_heads) {
  // A user's 0.3 of 10 heads means 3 although 0.3 · 10 may round below it.
  constexpr double kRounding = 1e-9;
  return ratio * source_kv_heads + kRounding;
}

int kv_heads_within(double ratio, int source_kv_heads) {
  return static_cast<int>(std::floor(size_within(ratio, source_kv_heads)));
}

}  // namespace regroup::search
