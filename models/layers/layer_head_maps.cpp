#include "models/layers/layer_head_maps.hpp"

#include <algorithm>
#include <span>
#include <utility>

namespace regroup::models {
namespace {

/// For each query head the place of its group in `stored`.
HeadMap map_of(const search::LayerGrouping& layer, const search::Partition& partition,
               std::span<const search::Group> stored, int queries_per_kv_head) {
  const int queries = layer.has_allocation() ? static_cast<int>(layer.query_to_group.size())
                                             : partition.heads() * queries_per_kv_head;
  std::vector<int> places;
  for (int query = 0; query < queries; ++query) {
    const search::Group group = layer.has_allocation()
                                    ? layer.query_to_group[static_cast<std::size_t>(query)]
                                    : partition.group_of(search::Head(query / queries_per_kv_head));
    const auto place = std::lower_bound(stored.begin(), stored.end(), group);
    places.push_back(static_cast<int>(place - stored.begin()));
  }
  return {std::move(places), static_cast<int>(stored.size())};
}

}  // namespace

LayerHeadMaps head_maps(const search::LayerGrouping& layer, int queries_per_kv_head) {
  LayerHeadMaps maps{map_of(layer, layer.keys, layer.stored_keys(), queries_per_kv_head),
                     map_of(layer, layer.values, layer.stored_values(), queries_per_kv_head)};
  if (layer.widths) maps.widths = layer_widths(*layer.widths);
  return maps;
}

ModelHeadMaps head_maps(const search::Grouping& grouping, const ModelConfig& config) {
  ModelHeadMaps maps;
  for (const search::LayerGrouping& layer : grouping.layers) {
    maps.push_back(head_maps(layer, config.queries_per_kv_head()));
  }
  return maps;
}

LayerHeadMaps source_head_maps(const ModelConfig& config, int layer) {
  const LayerHeads heads = config.heads(layer);
  const HeadMap map = HeadMap::even(heads.query, heads.kv);
  return {map, map};
}

}  // namespace regroup::models
