#include "models/convert/layout.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <numeric>

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

/// The stored head that each source KV head reads: that of its first query head.
std::vector<int> stored_of_kv_head(const std::vector<int>& stored_of_query,
                                   const ModelConfig& config) {
  std::vector<int> result;
  for (int kv = 0; kv < config.kv_heads; ++kv) {
    const int query = kv * config.queries_per_kv_head();
    result.push_back(stored_of_query[static_cast<std::size_t>(query)]);
  }
  return result;
}

void repeat_keys_and_values(MergedAttention& layer, const ModelConfig& config) {
  AttentionWeights& w = layer.weights;
  const std::vector<int> keys = stored_of_kv_head(layer.key_of_query, config);
  const std::vector<int> values = stored_of_kv_head(layer.value_of_query, config);
  w.key = take_heads(w.key, keys, config.head_dim);
  w.key_bias = take_heads(w.key_bias, keys, config.head_dim);
  w.value = take_heads(w.value, values, config.head_dim);
  w.value_bias = take_heads(w.value_bias, values, config.head_dim);
}

std::vector<std::string_view> names_that(const search::Grouping* held) {
  std::vector<std::string_view> names;
  for (const LayoutEntry& entry : kLayouts) {
    if (held == nullptr || holds(entry.layout, *held)) names.push_back(entry.name);
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
  throw InputError({.what = "layout is not known",
                    .where = "--layout",
                    .expected = fmt::format("one of {}", fmt::join(names_that(nullptr), ", ")),
                    .found = std::string(name)});
}

bool holds(Layout layout, const search::Grouping& grouping) {
  if (layout == Layout::kExpand) return true;
  const int groups = grouping.layers[0].keys.groups();
  return std::all_of(grouping.layers.begin(), grouping.layers.end(),
                     [&](const search::LayerGrouping& layer) {
                       return layer.shares_partition() && layer.keys.groups() == groups &&
                              layer.keys.has_equal_sizes();
                     });
}

Layout default_layout(const search::Grouping& grouping) {
  return std::find_if(kLayouts.begin(), kLayouts.end(),
                      [&](const LayoutEntry& entry) { return holds(entry.layout, grouping); })
      ->layout;
}

void require_holds(Layout layout, const search::Grouping& grouping) {
  if (holds(layout, grouping)) return;
  throw InputError(
      {.what = fmt::format("layout {} cannot hold this grouping exactly", layout_name(layout)),
       .where = "--layout",
       .expected = fmt::format("one of {}", fmt::join(names_that(&grouping), ", ")),
       .found = "group counts or sizes that differ, or keys and values grouped apart"});
}

int stored_kv_heads(Layout layout, const search::Grouping& grouping) {
  const search::Partition& keys = grouping.layers[0].keys;
  return layout == Layout::kStandard ? keys.groups() : keys.heads();
}

void lay_out(Layout layout, MergedAttention& layer, const ModelConfig& config) {
  if (layout == Layout::kStandard) {
    permute_queries(layer, config);
  } else {
    repeat_keys_and_values(layer, config);
  }
}

}  // namespace regroup::models
