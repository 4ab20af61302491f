#include "apps/report/grouping_file.hpp"

#include <fmt/format.h>

#include <string>

#include "apps/report/json_fields.hpp"

namespace regroup::apps {
namespace {

using nlohmann::json;

/// Refuses anything but a whole number below `limit`.
std::size_t read_id(const JsonFields& layer, const char* name, const json& value,
                    std::uint64_t limit) {
  if (!value.is_number_unsigned() || value.get<std::uint64_t>() >= limit) {
    layer.refuse(name, fmt::format("whole numbers below {}", limit), shown(value));
  }
  return value.get<std::size_t>();
}

/// Heads to groups from a list of lists; memory follows the file's size, not a number in it.
std::vector<std::size_t> read_groups(const JsonFields& layer, const char* name,
                                     std::uint64_t kv_heads) {
  const json& groups = layer.array(name);
  std::size_t members = 0;
  for (const json& group : groups) {
    if (!group.is_array() || group.empty()) {
      layer.refuse(name, "lists of at least one head", shown(group));
    }
    members += group.size();
  }
  if (members != kv_heads) {
    layer.refuse(name, fmt::format("each of {} KV heads once", kv_heads),
                 fmt::format("{} entries", members));
  }
  constexpr auto kNone = static_cast<std::size_t>(-1);
  std::vector<std::size_t> group_of_head(members, kNone);
  for (std::size_t g = 0; g < groups.size(); ++g) {
    for (const json& member : groups[g]) {
      const std::size_t head = read_id(layer, name, member, kv_heads);
      if (group_of_head[head] != kNone) {
        layer.refuse(name, fmt::format("each of {} KV heads once", kv_heads),
                     fmt::format("head {} twice", head));
      }
      group_of_head[head] = g;
    }
  }
  return group_of_head;
}

std::vector<std::size_t> read_queries(const JsonFields& layer, std::uint64_t query_heads,
                                      std::size_t groups) {
  constexpr const char* kName = "query_to_group";
  std::vector<std::size_t> group_of_query;
  if (layer.find(kName) == nullptr) return group_of_query;
  for (const json& value : layer.array(kName)) {
    group_of_query.push_back(read_id(layer, kName, value, groups));
  }
  if (group_of_query.size() != query_heads) {
    layer.refuse(kName, fmt::format("one group for each of {} query heads", query_heads),
                 fmt::format("{} entries", group_of_query.size()));
  }
  return group_of_query;
}

}  // namespace

std::vector<LayerGroups> read_grouping_layers(const std::filesystem::path& file,
                                              std::uint64_t kv_heads, std::uint64_t query_heads) {
  const json document = read_json_file(file);
  const JsonFields fields(document, file.string());
  check_format(fields, "regroup.grouping");
  const json& layers = fields.array("layers");
  if (layers.empty()) fields.refuse("layers", "at least one layer", "none");
  std::vector<LayerGroups> all;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const JsonFields layer(layers[i], fmt::format("{}, layers[{}]", file.string(), i));
    LayerGroups groups;
    groups.name = layer.optional_text("name").value_or(fmt::format("{}", layer.count("index")));
    groups.key = read_groups(layer, "key_groups", kv_heads);
    groups.value = layer.find("value_groups") == nullptr
                       ? groups.key
                       : read_groups(layer, "value_groups", kv_heads);
    groups.query = read_queries(layer, query_heads, layer.array("key_groups").size());
    all.push_back(std::move(groups));
  }
  return all;
}

}  // namespace regroup::apps
