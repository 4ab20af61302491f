#include "search/grouping.hpp"

#include <cmath>

namespace regroup::search {

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

double Grouping::kv_ratio() const {
  return static_cast<double>(kv_heads()) / static_cast<double>(source_kv_heads());
}

int kv_heads_within(double ratio, int source_kv_heads) {
  // A user's 0.3 of 10 heads means 3 although 0.3 · 10 may round below it.
  constexpr double kRounding = 1e-9;
  return static_cast<int>(std::floor(ratio * source_kv_heads + kRounding));
}

}  // namespace regroup::search
