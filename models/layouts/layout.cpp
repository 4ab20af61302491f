#include "models/layouts/layout.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <utility>

#include "search/base/error.hpp"

namespace regroup::models {
namespace {

struct LayoutEntry {
  Layout layout;
  std::string_view name;
};

/// From the most useful to the last resort.
constexpr std::array kLayouts = {
    LayoutEntry{Layout::kStandard, "standard"}, LayoutEntry{Layout::kPerLayer, "per-layer"},
    LayoutEntry{Layout::kPad, "pad"}, LayoutEntry{Layout::kExpand, "expand"}};

/// Query heads that each stored key head serves.
std::vector<int> served_queries(const LayerHeadMaps& layer) {
  std::vector<int> served(static_cast<std::size_t>(layer.keys.stored()));
  for (const int head : layer.keys.stored_of_query()) ++served[static_cast<std::size_t>(head)];
  return served;
}

bool serves_equally(const LayerHeadMaps& layer) {
  const std::vector<int> served = served_queries(layer);
  return std::adjacent_find(served.begin(), served.end(), std::not_equal_to<>()) == served.end();
}

bool stores_equally(const ModelHeadMaps& maps) {
  return std::all_of(maps.begin(), maps.end(), [&](const LayerHeadMaps& layer) {
    return layer.keys.stored() == maps[0].keys.stored();
  });
}

bool all_layers(const ModelHeadMaps& maps, bool (*rule)(const LayerHeadMaps&)) {
  return std::all_of(maps.begin(), maps.end(), rule);
}

bool shares_map(const LayerHeadMaps& layer) {
  return layer.keys == layer.values;
}

/// Whether query heads of one source KV head, `step` of them, read different stored heads.
bool parts_kv_heads(const HeadMap& map, int step) {
  for (int query = 0; query < map.queries(); ++query) {
    if (map[query] != map[query / step * step]) return true;
  }
  return false;
}

/// The fewest KV heads, of those of the source and one for each query head, that hold the maps.
int expanded_kv_heads(const ModelHeadMaps& maps, const ModelConfig& config) {
  for (const LayerHeadMaps& layer : maps) {
    const int step = layer.keys.queries() / config.kv_heads;
    if (parts_kv_heads(layer.keys, step) || parts_kv_heads(layer.values, step)) {
      return layer.keys.queries();
    }
  }
  return config.kv_heads;
}

/// Every layer padded to its own largest group, or all to the largest of them where stock engines
/// then run the model.
std::vector<LayerHeads> padded_heads(const ModelHeadMaps& maps, const ModelConfig& config) {
  std::vector<LayerHeads> heads;
  int largest = 0;
  for (const LayerHeadMaps& layer : maps) {
    const std::vector<int> served = served_queries(layer);
    const int most = *std::max_element(served.begin(), served.end());
    heads.push_back({most * layer.keys.stored(), layer.keys.stored()});
    largest = std::max(largest, most);
  }
  const LayerHeads equal{largest * heads[0].kv, heads[0].kv};
  if (stores_equally(maps) && config.width % equal.query == 0) heads.assign(heads.size(), equal);
  return heads;
}

/// All layouts, or those that hold a grouping.
std::vector<std::string_view> names_that(const ModelHeadMaps* held, const ModelConfig* config) {
  std::vector<std::string_view> names;
  for (const LayoutEntry& entry : kLayouts) {
    if (held == nullptr || holds(entry.layout, *held, *config)) names.push_back(entry.name);
  }
  return names;
}

/// What of the grouping a layout cannot hold.
std::string obstacle(const ModelHeadMaps& maps, const ModelConfig& config) {
  if (!config.names_kv_heads) {
    return fmt::format("{}, which has as many KV heads as query heads", config.architecture);
  }
  if (!all_layers(maps, shares_map)) return "keys and values that are grouped apart";
  if (!all_layers(maps, serves_equally)) return "groups of other sizes within a layer";
  return "layers with other numbers of groups";
}

}  // namespace

std::string_view layout_name(Layout layout) {
  return std::find_if(kLayouts.begin(), kLayouts.end(),
                      [&](const LayoutEntry& entry) { return entry.layout == layout; })
      ->name;
}

Layout find_layout(std::string_view name) {
  for (const LayoutEntry& entry : kLayouts) {
    if (entry.name == name) return entry.layout;
  }
  throw InputError(
      {.what = "layout is not known",
       .where = "--layout",
       .expected = fmt::format("one of {}", fmt::join(names_that(nullptr, nullptr), ", ")),
       .found = std::string(name)});
}

bool holds(Layout layout, const ModelHeadMaps& maps, const ModelConfig& config) {
  if (layout == Layout::kExpand) return true;
  if (!all_layers(maps, shares_map)) return false;
  if (!config.names_kv_heads) {
    // There is one way to store its heads: all of them.
    return layout == Layout::kStandard && stores_equally(maps) &&
           maps[0].keys.stored() == config.kv_heads;
  }
  // A norm over all heads counts the zeros of heads that fill up groups.
  if (layout == Layout::kPad) return config.query_key_norm != QueryKeyNorm::kWhole;
  return all_layers(maps, serves_equally) && (layout == Layout::kPerLayer || stores_equally(maps));
}

Layout default_layout(const ModelHeadMaps& maps, const ModelConfig& config) {
  return std::find_if(kLayouts.begin(), kLayouts.end(),
                      [&](const LayoutEntry& entry) { return holds(entry.layout, maps, config); })
      ->layout;
}

void require_holds(Layout layout, const ModelHeadMaps& maps, const ModelConfig& config) {
  if (holds(layout, maps, config)) return;
  throw InputError(
      {.what = fmt::format("layout {} cannot hold this grouping exactly", layout_name(layout)),
       .where = "--layout",
       .expected = fmt::format("one of {}", fmt::join(names_that(&maps, &config), ", ")),
       .found = obstacle(maps, config)});
}

std::vector<LayerHeads> stored_heads(Layout layout, const ModelHeadMaps& maps,
                                     const ModelConfig& config) {
  if (layout == Layout::kPad) return padded_heads(maps, config);
  std::vector<LayerHeads> heads;
  const int expanded = expanded_kv_heads(maps, config);
  for (const LayerHeadMaps& layer : maps) {
    heads.push_back(
        {config.query_heads, layout == Layout::kExpand ? expanded : layer.keys.stored()});
  }
  return heads;
}

bool are_uniform(const std::vector<LayerHeads>& heads) {
  return std::adjacent_find(heads.begin(), heads.end(), std::not_equal_to<>()) == heads.end();
}

bool are_stock(const std::vector<LayerHeads>& heads, const ModelConfig& config) {
  const int queries = heads[0].query;
  return are_uniform(heads) && (queries == config.query_heads || config.width % queries == 0);
}

}  // namespace regroup::models
