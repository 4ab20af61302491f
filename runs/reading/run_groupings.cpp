#include "runs/reading/run_groupings.hpp"

#include <fmt/format.h>

#include <string>

#include "models/files/json_fields.hpp"
#include "models/files/json_file.hpp"
#include "models/grouping/grouping_layers.hpp"

namespace regroup::runs {
namespace {

using nlohmann::json;

std::vector<std::size_t> labels_of(const search::Partition& partition) {
  return {partition.labels().begin(), partition.labels().end()};
}

search::Partition read_groups(const json& layer, const char* name, std::uint64_t kv_heads,
                              const std::string& where) {
  if (kv_heads > static_cast<std::uint64_t>(search::Partition::kMaxHeads)) {
    models::refuse_field(where, name,
                         fmt::format("at most {} KV heads", search::Partition::kMaxHeads),
                         std::to_string(kv_heads));
  }
  return models::read_partition(models::required_array(layer, name, where),
                                static_cast<int>(kv_heads), models::field_of(where, name));
}

std::vector<std::size_t> read_queries(const json& layer, std::uint64_t query_heads,
                                      const search::Partition& keys, const std::string& where) {
  constexpr const char* kName = "query_to_group";
  std::vector<std::size_t> group_of_query;
  const json* allocation = models::optional_array(layer, kName, where);
  if (allocation == nullptr) return group_of_query;
  for (const search::Group group :
       models::read_allocation(*allocation, models::required_array(layer, "key_groups", where),
                               keys, query_heads, models::field_of(where, kName))) {
    group_of_query.push_back(group.at());
  }
  return group_of_query;
}

LayerGroups read_layer(const json& layer, std::uint64_t kv_heads, std::uint64_t query_heads,
                       const std::string& where) {
  LayerGroups groups;
  const auto name = models::optional_string(layer, "name", where);
  groups.name = name ? *name : fmt::format("{}", models::required_count(layer, "index", where));
  const search::Partition keys = read_groups(layer, "key_groups", kv_heads, where);
  groups.key = labels_of(keys);
  groups.value = models::optional_array(layer, "value_groups", where) == nullptr
                     ? groups.key
                     : labels_of(read_groups(layer, "value_groups", kv_heads, where));
  groups.query = read_queries(layer, query_heads, keys, where);
  return groups;
}

}  // namespace

std::vector<LayerGroups> read_grouping_layers(const std::filesystem::path& file,
                                              std::uint64_t kv_heads, std::uint64_t query_heads) {
  const std::string where = file.string();
  const json document = models::read_json_file(file);
  models::require_grouping_json(document, where);
  const json& layers = models::required_array(document, "layers", where);
  if (layers.empty()) models::refuse_field(where, "layers", "at least one layer", "none");
  std::vector<LayerGroups> all;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    all.push_back(
        read_layer(layers[i], kv_heads, query_heads, fmt::format("{}, layers[{}]", where, i)));
  }
  return all;
}

}  // namespace regroup::runs
