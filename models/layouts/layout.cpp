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

/// Query heads that each stored group serves, `queries` of them to a source KV head.
std::vector<int> served_queries(const search::LayerGrouping& layer, int queries) {
  std::vector<int> served(static_cast<std::size_t>(layer.keys.groups()));
  if (layer.has_allocation()) {
    for (const search::Group group : layer.query_to_group) ++served[group.at()];
  } else {
    for (int head = 0; head < layer.keys.heads(); ++head) {
      served[layer.keys.group_of(search::Head(head)).at()] += queries;
    }
  }
  std::erase(served, 0);
  return served;
}

bool serves_equally(const search::LayerGrouping& layer) {
  const std::vector<int> served = served_queries(layer, 1);
  return std::adjacent_find(served.begin(), served.end(), std::not_equal_to<>()) == served.end();
}

int stored_groups(const search::LayerGrouping& layer) {
  return static_cast<int>(layer.stored_keys().size());
}

bool stores_equally(const search::Grouping& grouping) {
  return std::all_of(grouping.layers.begin(), grouping.layers.end(),
                     [&](const search::LayerGrouping& layer) {
                       return stored_groups(layer) == stored_groups(grouping.layers[0]);
                     });
}

bool all_layers(const search::Grouping& grouping, bool (*rule)(const search::LayerGrouping&)) {
  return std::all_of(grouping.layers.begin(), grouping.layers.end(), rule);
}

bool shares_partition(const search::LayerGrouping& layer) {
  return layer.shares_partition();
}

/// Whether query heads of one source KV head read different groups.
bool parts_kv_heads(const search::LayerGrouping& layer) {
  const std::vector<search::Group>& groups = layer.query_to_group;
  const std::size_t step = groups.size() / static_cast<std::size_t>(layer.keys.heads());
  for (std::size_t query = 0; query < groups.size(); ++query) {
    if (groups[query] != groups[query / step * step]) return true;
  }
  return false;
}

/// The fewest KV heads, of those of the source and one for each query head, that hold the grouping.
int expanded_kv_heads(const search::Grouping& grouping) {
  for (const search::LayerGrouping& layer : grouping.layers) {
    if (parts_kv_heads(layer)) return static_cast<int>(layer.query_to_group.size());
  }
  return grouping.layers[0].keys.heads();
}

/// Every layer padded to its own largest group, or all to the largest of them where stock engines
/// then run the model.
std::vector<LayerHeads> padded_heads(const search::Grouping& grouping, const ModelConfig& config) {
  std::vector<LayerHeads> heads;
  int largest = 0;
  for (const search::LayerGrouping& layer : grouping.layers) {
    const std::vector<int> served = served_queries(layer, config.queries_per_kv_head());
    const int most = *std::max_element(served.begin(), served.end());
    heads.push_back({most * stored_groups(layer), stored_groups(layer)});
    largest = std::max(largest, most);
  }
  const LayerHeads equal{largest * heads[0].kv, heads[0].kv};
  if (stores_equally(grouping) && config.width % equal.query == 0)
    heads.assign(heads.size(), equal);
  return heads;
}

/// All layouts, or those that hold a grouping.
std::vector<std::string_view> names_that(const search::Grouping* held, const ModelConfig* config) {
  std::vector<std::string_view> names;
  for (const LayoutEntry& entry : kLayouts) {
    if (held == nullptr || holds(entry.layout, *held, *config)) names.push_back(entry.name);
  }
  return names;
}

/// What of the grouping a layout cannot hold.
std::string obstacle(const search::Grouping& grouping, const ModelConfig& config) {
  if (!config.names_kv_heads) {
    return fmt::format("{}, which has as many KV heads as query heads", config.architecture);
  }
  if (!all_layers(grouping, shares_partition)) return "keys and values that are grouped apart";
  if (!all_layers(grouping, serves_equally)) return "groups of other sizes within a layer";
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

bool holds(Layout layout, const search::Grouping& grouping, const ModelConfig& config) {
  if (layout == Layout::kExpand) return true;
  if (!all_layers(grouping, shares_partition)) return false;
  if (!config.names_kv_heads) {
    // There is one way to store its heads: all of them.
    return layout == Layout::kStandard && stores_equally(grouping) &&
           stored_groups(grouping.layers[0]) == config.kv_heads;
  }
  if (layout == Layout::kPad) return true;
  return all_layers(grouping, serves_equally) &&
         (layout == Layout::kPerLayer || stores_equally(grouping));
}

Layout default_layout(const search::Grouping& grouping, const ModelConfig& config) {
  return std::find_if(
             kLayouts.begin(), kLayouts.end(),
             [&](const LayoutEntry& entry) { return holds(entry.layout, grouping, config); })
      ->layout;
}

void require_holds(Layout layout, const search::Grouping& grouping, const ModelConfig& config) {
  if (holds(layout, grouping, config)) return;
  throw InputError(
      {.what = fmt::format("layout {} cannot hold this grouping exactly", layout_name(layout)),
       .where = "--layout",
       .expected = fmt::format("one of {}", fmt::join(names_that(&grouping, &config), ", ")),
       .found = obstacle(grouping, config)});
}

std::vector<LayerHeads> stored_heads(Layout layout, const search::Grouping& grouping,
                                     const ModelConfig& config) {
  if (layout == Layout::kPad) return padded_heads(grouping, config);
  std::vector<LayerHeads> heads;
  const int expanded = expanded_kv_heads(grouping);
  for (const search::LayerGrouping& layer : grouping.layers) {
    heads.push_back(
        {config.query_heads, layout == Layout::kExpand ? expanded : stored_groups(layer)});
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
