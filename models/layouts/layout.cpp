#include "models/layouts/layout.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <limits>
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
    LayoutEntry{Layout::kPad, "pad"}, LayoutEntry{Layout::kExpand, "expand"},
    LayoutEntry{Layout::kFree, "free"}};

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

/// Whether query heads stay where they are when those of a group are put side by side.
bool keeps_query_order(const LayerHeadMaps& layer) {
  return std::ranges::is_sorted(layer.keys.stored_of_query());
}

/// Whether a layout that puts query heads of a group side by side leaves each its slope, which
/// comes from its place.
bool keeps_slopes(Layout layout, const ModelHeadMaps& maps, const ModelConfig& config) {
  if (config.alibi.slopes.empty()) return true;
  return layout != Layout::kPad && all_layers(maps, keeps_query_order);
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
    heads.push_back({.query = most * layer.keys.stored(), .kv = layer.keys.stored()});
    largest = std::max(largest, most);
  }
  const LayerHeads equal{.query = largest * heads[0].kv, .kv = heads[0].kv};
  if (stores_equally(maps) && config.width % equal.query == 0) heads.assign(heads.size(), equal);
  return heads;
}

bool has_widths(const LayerHeadMaps& layer) {
  return layer.widths.has_value();
}

bool has_free_frequencies(const LayerHeadMaps& layer) {
  return layer.widths && layer.widths->free_frequencies;
}

/// Whether heads of these widths can be stored as heads of one.
bool holds_widths(const ModelHeadMaps& maps, const ModelConfig& config) {
  if (std::none_of(maps.begin(), maps.end(), has_widths)) return true;
  return config.takes_wide_heads && std::none_of(maps.begin(), maps.end(), has_free_frequencies);
}

/// The width that all stored heads have.
int widest_head(const ModelHeadMaps& maps, const ModelConfig& config) {
  int widest = 0;
  for (const LayerHeadMaps& layer : maps) {
    const LayerWidths own = layer.widths.value_or(LayerWidths{config.head_dim, config.head_dim});
    widest = std::max({widest, own.key, own.value});
  }
  return widest;
}

/// All layouts, or those that hold a grouping.
std::vector<std::string_view> names_that(const ModelHeadMaps* held, const ModelConfig* config) {
  std::vector<std::string_view> names;
  for (const LayoutEntry& entry : kLayouts) {
    if (held == nullptr || holds(entry.layout, *held, *config)) names.push_back(entry.name);
  }
  return names;
}

/// What of the grouping this layout cannot hold.
std::string obstacle(Layout layout, const ModelHeadMaps& maps, const ModelConfig& config) {
  const bool has_wide = std::any_of(maps.begin(), maps.end(), has_widths);
  if (layout == Layout::kExpand) return "groups with widths of their own";
  if (!config.names_kv_heads) {
    return fmt::format("{}, which has as many KV heads as query heads", config.architecture);
  }
  if (!holds_widths(maps, config)) {
    return config.takes_wide_heads
               ? "rotary frequencies that layers have of their own"
               : fmt::format("{}, whose heads have one width", config.architecture);
  }
  if (!all_layers(maps, shares_map)) return "keys and values that are grouped apart";
  if (layout == Layout::kFree && !has_wide) return "groups as wide as a head";
  if (layout != Layout::kPad && !all_layers(maps, serves_equally)) {
    return "groups of other sizes within a layer";
  }
  if (!keeps_slopes(layout, maps, config)) {
    return fmt::format("{}, whose query heads have slopes by their places", config.architecture);
  }
  if (layout == Layout::kPad) {
    return fmt::format("{}, whose norm of keys runs over all heads", config.architecture);
  }
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
  if (layout == Layout::kExpand) return std::none_of(maps.begin(), maps.end(), has_widths);
  if (!all_layers(maps, shares_map)) return false;
  if (layout == Layout::kFree) {
    return config.takes_wide_heads && all_layers(maps, serves_equally) &&
           std::any_of(maps.begin(), maps.end(), has_widths);
  }
  if (!holds_widths(maps, config)) return false;
  if (!config.names_kv_heads) {
    // There is one way to store its heads: all of them.
    return layout == Layout::kStandard && stores_equally(maps) &&
           maps[0].keys.stored() == config.kv_heads;
  }
  if (!keeps_slopes(layout, maps, config)) return false;
  // A norm over all heads counts the zeros of heads that fill up groups.
  if (layout == Layout::kPad) return config.query_key_norm != QueryKeyNorm::kWhole;
  return all_layers(maps, serves_equally) && (layout == Layout::kPerLayer || stores_equally(maps));
}

Layout default_layout(const ModelHeadMaps& maps, const ModelConfig& config, ModelCode code) {
  const bool has_wide = std::any_of(maps.begin(), maps.end(), has_widths);
  const LayoutEntry* best = nullptr;
  double least = std::numeric_limits<double>::infinity();
  for (const LayoutEntry& entry : kLayouts) {
    if (entry.layout == Layout::kFree && code == ModelCode::kIgnores) continue;
    if (!holds(entry.layout, maps, config)) continue;
    if (!has_wide) return entry.layout;  // those behind it store no less
    const double size = stored_size(stored_heads(entry.layout, maps, config), config);
    if (size >= least) continue;
    best = &entry;
    least = size;
  }
  if (best != nullptr) return best->layout;
  throw InputError({.what = "no layout holds groups of these widths",
                    .where = "the grouping",
                    .expected = "groups as wide as a head for this family",
                    .found = obstacle(Layout::kPad, maps, config)});
}

void require_holds(Layout layout, const ModelHeadMaps& maps, const ModelConfig& config) {
  if (holds(layout, maps, config)) return;
  throw InputError(
      {.what = fmt::format("layout {} cannot hold this grouping exactly", layout_name(layout)),
       .where = "--layout",
       .expected = fmt::format("one of {}", fmt::join(names_that(&maps, &config), ", ")),
       .found = obstacle(layout, maps, config)});
}

std::vector<LayerHeads> stored_heads(Layout layout, const ModelHeadMaps& maps,
                                     const ModelConfig& config) {
  std::vector<LayerHeads> heads;
  if (layout == Layout::kPad) {
    heads = padded_heads(maps, config);
  } else {
    const int expanded = expanded_kv_heads(maps, config);
    for (const LayerHeadMaps& layer : maps) {
      const int kv = layout == Layout::kExpand ? expanded : layer.keys.stored();
      heads.push_back({.query = config.query_heads, .kv = kv});
    }
  }
  const LayerWidths source{config.head_dim, config.head_dim};
  const int widest = widest_head(maps, config);
  for (std::size_t layer = 0; layer < heads.size(); ++layer) {
    const LayerWidths own =
        layout == Layout::kFree ? maps[layer].widths.value_or(source) : LayerWidths{widest, widest};
    heads[layer].key_width = own.key;
    heads[layer].value_width = own.value;
  }
  return heads;
}

bool are_uniform(const std::vector<LayerHeads>& heads) {
  return std::adjacent_find(heads.begin(), heads.end(), std::not_equal_to<>()) == heads.end();
}

double stored_size(const std::vector<LayerHeads>& heads, const ModelConfig& config) {
  double numbers = 0;
  for (const LayerHeads& layer : heads) numbers += layer.kv * (layer.key_width + layer.value_width);
  return numbers / config.head_dim;
}

double stored_size(const ModelConfig& config) {
  std::vector<LayerHeads> heads;
  for (int layer = 0; layer < config.layers; ++layer) {
    heads.push_back(config.heads(layer));
    if (config.mixture) heads.back().key_width *= config.mixture->projected_keys();
  }
  return stored_size(heads, config);
}

bool are_stock(Layout layout, const std::vector<LayerHeads>& heads, const ModelConfig& config) {
  const int queries = heads[0].query;
  return layout != Layout::kFree && are_uniform(heads) &&
         (queries == config.query_heads || config.width % queries == 0);
}

}  // namespace regroup::models
