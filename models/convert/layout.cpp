#include "models/convert/layout.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <numeric>
#include <utility>

#include "models/merge/attention_weights.hpp"
#include "search/error.hpp"

namespace regroup::models {
namespace {

struct LayoutEntry {
  Layout layout;
  std::string_view name;
};

/// From the most useful to the last resort.
constexpr std::array kLayouts = {LayoutEntry{Layout::kStandard, "standard"},
                                 LayoutEntry{Layout::kExpand, "expand"}};

/// Rows (or, with dimension 1, columns) of the heads in another order; heads may repeat.
at::Tensor take_heads(const at::Tensor& projection, const std::vector<int>& heads,
                      std::int64_t head_dim, std::int64_t dimension = 0) {
  if (!projection.defined()) return projection;
  std::vector<at::Tensor> parts;
  for (const int head : heads) {
    parts.push_back(projection.slice(dimension, head * head_dim, (head + 1) * head_dim));
  }
  return at::cat(parts, dimension);
}

/// Query heads by the group they read, in order within it.
std::vector<int> queries_by_group(const std::vector<int>& group_of_query) {
  std::vector<int> order(group_of_query.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) {
    return group_of_query[static_cast<std::size_t>(a)] <
           group_of_query[static_cast<std::size_t>(b)];
  });
  return order;
}

void permute_queries(MergedAttention& layer, const ModelConfig& config) {
  AttentionWeights& w = layer.weights;
  const std::vector<int> order = queries_by_group(layer.key_of_query);
  w.query = take_heads(w.query, order, config.head_dim);
  w.query_bias = take_heads(w.query_bias, order, config.head_dim);
  w.output = take_heads(w.output, order, config.head_dim, 1);
}

/// The merged head that each of `heads` expanded ones repeats: that of its first query head.
std::vector<int> merged_of_expanded(const std::vector<int>& merged_of_query, int heads) {
  const std::size_t step = merged_of_query.size() / static_cast<std::size_t>(heads);
  std::vector<int> result;
  for (std::size_t query = 0; query < merged_of_query.size(); query += step) {
    result.push_back(merged_of_query[query]);
  }
  return result;
}

void repeat_keys_and_values(MergedAttention& layer, const ModelConfig& config, int heads) {
  AttentionWeights& w = layer.weights;
  const std::vector<int> keys = merged_of_expanded(layer.key_of_query, heads);
  const std::vector<int> values = merged_of_expanded(layer.value_of_query, heads);
  w.key = take_heads(w.key, keys, config.head_dim);
  w.key_bias = take_heads(w.key_bias, keys, config.head_dim);
  w.value = take_heads(w.value, values, config.head_dim);
  w.value_bias = take_heads(w.value_bias, values, config.head_dim);
}

/// Whether all stored groups serve the same number of query heads.
bool serves_equally(const search::LayerGrouping& layer) {
  if (!layer.has_allocation()) return layer.keys.has_equal_sizes();
  std::vector<std::size_t> counts(static_cast<std::size_t>(layer.keys.groups()));
  for (const search::Group group : layer.query_to_group) ++counts[group.at()];
  const std::vector<search::Group> stored = layer.stored_keys();
  return std::all_of(stored.begin(), stored.end(), [&](search::Group group) {
    return counts[group.at()] * stored.size() == layer.query_to_group.size();
  });
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

/// All layouts, or those that hold a grouping.
std::vector<std::string_view> names_that(const search::Grouping* held, const ModelConfig* config) {
  std::vector<std::string_view> names;
  for (const LayoutEntry& entry : kLayouts) {
    if (held == nullptr || holds(entry.layout, *held, *config)) names.push_back(entry.name);
  }
  return names;
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
  const std::size_t groups = grouping.layers[0].stored_keys().size();
  if (!config.names_kv_heads && std::cmp_not_equal(groups, config.kv_heads)) return false;
  return std::all_of(grouping.layers.begin(), grouping.layers.end(),
                     [&](const search::LayerGrouping& layer) {
                       return layer.shares_partition() && layer.stored_keys().size() == groups &&
                              serves_equally(layer);
                     });
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
       .found = config.names_kv_heads
                    ? "group counts or sizes that differ, or keys and values grouped apart"
                    : fmt::format("{}, which has as many KV heads as query heads",
                                  config.architecture)});
}

int stored_kv_heads(Layout layout, const search::Grouping& grouping) {
  return layout == Layout::kStandard ? static_cast<int>(grouping.layers[0].stored_keys().size())
                                     : expanded_kv_heads(grouping);
}

void lay_out(Layout layout, MergedAttention& layer, const ModelConfig& config, int stored_heads) {
  if (layout == Layout::kStandard) {
    permute_queries(layer, config);
  } else {
    repeat_keys_and_values(layer, config, stored_heads);
  }
}

}  // namespace regroup::models
