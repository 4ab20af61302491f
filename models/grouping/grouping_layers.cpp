#include "models/grouping/grouping_layers.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "models/files/json_fields.hpp"
#include "models/files/json_file.hpp"
#include "models/grouping/group_widths.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

using nlohmann::json;

void require_value(const json& object, std::string_view key, const std::string& where,
                   const json& expected) {
  const auto found = object.find(key);
  if (found != object.end() && *found == expected) return;
  throw InputError({.what = "field has another value than this reader knows",
                    .where = field_of(where, key),
                    .expected = expected.dump(),
                    .found = found == object.end() ? "nothing" : describe_json(*found)});
}

search::LayerGrouping read_groups(const json& layer, int heads, const std::string& where) {
  const search::Partition keys = read_partition(required_array(layer, "key_groups", where), heads,
                                                field_of(where, "key_groups"));
  const json* values = optional_array(layer, "value_groups", where);
  if (values == nullptr) return {keys, keys};
  return {keys, read_partition(*values, heads, field_of(where, "value_groups"))};
}

/// Where the layer allocates its query heads.
void read_allocation_of(const json& layer, const HeadCounts& heads, const std::string& where,
                        search::LayerGrouping& grouping) {
  const json* allocation = optional_array(layer, "query_to_group", where);
  if (allocation == nullptr) return;
  const std::string place = field_of(where, "query_to_group");
  if (!grouping.shares_partition()) {
    throw InputError({.what = "allocation of query heads to groups of keys and values that differ",
                      .where = place,
                      .expected = "value_groups absent or equal to key_groups",
                      .found = fmt::format("{} and {}", grouping.keys.to_string(),
                                           grouping.values.to_string())});
  }
  const std::size_t queries =
      heads.query_heads > 0 ? static_cast<std::size_t>(heads.query_heads) : allocation->size();
  grouping.query_to_group =
      read_allocation(*allocation, layer["key_groups"], grouping.keys, queries, place);
}

search::LayerGrouping read_layer(const json& layer, const HeadCounts& heads,
                                 const std::string& where) {
  search::LayerGrouping grouping = read_groups(layer, heads.kv_heads, where);
  read_allocation_of(layer, heads, where, grouping);
  grouping.widths = read_widths(layer, grouping, heads.head_dim, where);
  return grouping;
}

}  // namespace

void require_grouping_json(const json& document, const std::string& where) {
  require_object(document, where);
  require_value(document, "format", where, "regroup.grouping");
  const auto version = document.find("version");
  if (version != document.end() && *version == kWideGroupingVersion) return;
  require_value(document, "version", where, kGroupingVersion);
}

search::Grouping read_layers(const json& document, const HeadCounts& heads,
                             const std::string& where) {
  const json& entries = required_array(document, "layers", where);
  std::vector<std::optional<search::LayerGrouping>> layers(static_cast<std::size_t>(heads.layers));
  for (const json& entry : entries) {
    const auto index = required_int(entry, "index", where + ", layers", 0, heads.layers - 1);
    auto& layer = layers[static_cast<std::size_t>(index)];
    const std::string place = fmt::format("{}, layer {}", where, index);
    if (layer) throw InputError({.what = "layer is listed twice", .where = place});
    layer = read_layer(entry, heads, place);
  }
  search::Grouping grouping;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    if (!layers[i]) {
      throw InputError({.what = "layer is missing",
                        .where = where,
                        .expected = fmt::format("layers 0 to {}", heads.layers - 1),
                        .found = fmt::format("no layer {}", i)});
    }
    grouping.layers.push_back(*layers[i]);
  }
  return grouping;
}

}  // namespace regroup::models
