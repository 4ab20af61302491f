#include "runs/reading/run_groupings.hpp"

#include <fmt/format.h>

#include <string>

#include "models/files/json_fields.hpp"
#include "models/files/json_file.hpp"
#include "models/grouping/partition_json.hpp"

namespace regroup::runs {
namespace {

using models::JsonFields;

using nlohmann::json;

std::vector<std::size_t> labels_of(const search::Partition& partition) {
  return {partition.labels().begin(), partition.labels().end()};
}

search::Partition read_groups(const JsonFields& layer, const char* name, std::uint64_t kv_heads) {
  if (kv_heads > static_cast<std::uint64_t>(search::Partition::kMaxHeads)) {
    layer.refuse(name, fmt::format("at most {} KV heads", search::Partition::kMaxHeads),
                 std::to_string(kv_heads));
  }
  return models::read_partition(layer.array(name), static_cast<int>(kv_heads),
                                models::field_of(layer.where(), name));
}

std::vector<std::size_t> read_queries(const JsonFields& layer, std::uint64_t query_heads,
                                      const search::Partition& keys) {
  constexpr const char* kName = "query_to_group";
  std::vector<std::size_t> group_of_query;
  if (layer.find(kName) == nullptr) return group_of_query;
  for (const search::Group group :
       models::read_allocation(layer.array(kName), layer.array("key_groups"), keys, query_heads,
                               models::field_of(layer.where(), kName))) {
    group_of_query.push_back(group.at());
  }
  return group_of_query;
}

}  // namespace

std::vector<LayerGroups> read_grouping_layers(const std::filesystem::path& file,
                                              std::uint64_t kv_heads, std::uint64_t query_heads) {
  const json document = models::read_json_file(file);
  const JsonFields fields(document, file.string());
  models::check_format(fields, "regroup.grouping");
  const json& layers = fields.array("layers");
  if (layers.empty()) fields.refuse("layers", "at least one layer", "none");
  std::vector<LayerGroups> all;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const JsonFields layer(layers[i], fmt::format("{}, layers[{}]", file.string(), i));
    LayerGroups groups;
    groups.name = layer.optional_text("name").value_or(fmt::format("{}", layer.count("index")));
    const search::Partition keys = read_groups(layer, "key_groups", kv_heads);
    groups.key = labels_of(keys);
    groups.value = layer.find("value_groups") == nullptr
                       ? groups.key
                       : labels_of(read_groups(layer, "value_groups", kv_heads));
    groups.query = read_queries(layer, query_heads, keys);
    all.push_back(std::move(groups));
  }
  return all;
}

}  // namespace regroup::runs
