#include "models/grouping/formats/formats.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "models/files/json_fields.hpp"
#include "models/files/json_file.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;
using search::Partition;

constexpr std::string_view kBlocks = "block_configs";
constexpr std::string_view kGroups = "num_key_value_heads_per_layer";

void require_writable(const search::Grouping& grouping, const HeadCounts& heads) {
  if (heads.query_heads == 0) {
    throw InputError({.what = "number of query heads is not known",
                      .where = "--format block-configs",
                      .expected = "--model, or query_heads in the grouping's \"model\"",
                      .found = "neither"});
  }
  for (std::size_t i = 0; i < grouping.layers.size(); ++i) {
    const Partition& partition = grouping.layers[i].keys;
    if (partition.has_equal_sizes()) continue;
    throw InputError({.what = "block-configs has one size of groups for each layer",
                      .where = fmt::format("layer {}", i),
                      .expected = "groups of equal sizes",
                      .found = partition.to_string()});
  }
}

/// How many query heads the file's model has; the model's, where given, if the file agrees.
int read_query_heads(const json& document, const std::optional<HeadCounts>& model,
                     const std::string& where) {
  constexpr std::string_view kKey = "num_attention_heads";
  if (!model) {
    return static_cast<int>(required_int(document, kKey, where, 1, Partition::kMaxHeads));
  }
  const int expected = model->query_heads;
  const auto stated = optional_int(document, kKey, where, 1, std::int64_t{1} << 40);
  if (!stated || *stated == expected) return expected;
  throw InputError({.what = "number of query heads is not the model's",
                    .where = field_of(where, kKey),
                    .expected = std::to_string(expected),
                    .found = std::to_string(*stated)});
}

/// `groups` groups of neighbours. Throws InputError unless they are of equal sizes.
Partition neighbours(std::int64_t groups, int kv_heads, const std::string& where) {
  if (groups > kv_heads || kv_heads % groups != 0) {
    throw InputError(
        {.what = "heads cannot be dealt to groups of equal sizes",
         .where = where,
         .expected = fmt::format("a number of groups that divides {} KV heads", kv_heads),
         .found = fmt::format("{} groups", groups)});
  }
  return Partition::neighbours(kv_heads, static_cast<int>(groups));
}

void require_attention(const json& attention, const std::string& where) {
  for (const char* key : {"no_op", "replace_with_linear"}) {
    if (!optional_bool(attention, key, where).value_or(false)) continue;
    throw InputError({.what = "layer has no attention, so that it groups no heads",
                      .where = field_of(where, key),
                      .expected = "false",
                      .found = "true"});
  }
}

/// KV heads that one entry of block_configs leaves.
std::int64_t groups_of_block(const json& block, int query_heads, const std::string& where) {
  const json& attention = required_object(block, "attention", where);
  const std::string place = field_of(where, "attention");
  require_attention(attention, place);
  const auto size = required_int(attention, "n_heads_in_group", place, 1, query_heads);
  if (query_heads % size == 0) return query_heads / size;
  throw InputError({.what = "query heads cannot be dealt to groups of this size",
                    .where = field_of(place, "n_heads_in_group"),
                    .expected = fmt::format("a divisor of {} query heads", query_heads),
                    .found = std::to_string(size)});
}

std::vector<std::int64_t> groups_of_blocks(const json& blocks, int query_heads,
                                           const std::string& where) {
  std::vector<std::int64_t> groups;
  for (const json& block : blocks) {
    const std::string place =
        fmt::format("{}, element {}", field_of(where, kBlocks), groups.size());
    groups.push_back(groups_of_block(block, query_heads, place));
  }
  return groups;
}

std::vector<std::int64_t> groups_of_list(const json& list, int query_heads,
                                         const std::string& where) {
  std::vector<std::int64_t> groups;
  for (const json& entry : list) {
    const std::string place =
        fmt::format("{}, element {}", field_of(where, kGroups), groups.size());
    groups.push_back(checked_int(entry, place, 1, query_heads));
  }
  return groups;
}

/// The number of groups of every layer, from whichever of the two fields are there.
std::vector<std::int64_t> read_groups(const json& document, int query_heads,
                                      const std::string& where) {
  const json* blocks = optional_array(document, kBlocks, where);
  const json* list = optional_array(document, kGroups, where);
  std::vector<std::int64_t> groups;
  if (blocks != nullptr) groups = groups_of_blocks(*blocks, query_heads, where);
  if (list != nullptr) {
    const std::vector<std::int64_t> listed = groups_of_list(*list, query_heads, where);
    if (blocks != nullptr && listed != groups) {
      throw InputError({.what = "two fields say different KV heads",
                        .where = where,
                        .expected = fmt::format("{} as {} says", kGroups, kBlocks),
                        .found = describe_json(*list)});
    }
    groups = listed;
  }
  if (!groups.empty()) return groups;
  throw InputError({.what = "file does not say how heads are grouped",
                    .where = where,
                    .expected = fmt::format("{} or {}, an entry for each layer", kBlocks, kGroups),
                    .found = blocks != nullptr || list != nullptr ? "no entries" : "neither"});
}

/// The parts of a config.json that say how many query heads share a KV head in each layer:
/// `block_configs` of DeciLM and Nemotron-NAS, `num_key_value_heads_per_layer` of DeciLM-7B. They
/// say sizes alone: what is read becomes groups of neighbours, as in a checkpoint whose query heads
/// were permuted. Without a model the source is taken to have as many KV heads as query heads.
class BlockConfigsFormat : public GroupingFormat {
 public:
  std::string_view name() const override { return "block-configs"; }
  bool keeps_members() const override { return false; }
  std::vector<NamedText> write(const search::Grouping& grouping,
                               const HeadCounts& heads) const override;
  search::Grouping read(const std::filesystem::path& path,
                        const std::optional<HeadCounts>& model) const override;
};

}  // namespace

std::vector<NamedText> BlockConfigsFormat::write(const search::Grouping& grouping,
                                                 const HeadCounts& heads) const {
  require_shared_partitions(*this, grouping);
  require_writable(grouping, heads);
  ordered_json blocks = ordered_json::array();
  ordered_json groups = ordered_json::array();
  for (const search::LayerGrouping& layer : grouping.layers) {
    groups.push_back(layer.keys.groups());
    blocks.push_back({{"attention",
                       {{"n_heads_in_group", heads.query_heads / layer.keys.groups()},
                        {"no_op", false},
                        {"replace_with_linear", false}}}});
  }
  const ordered_json document = {{"num_attention_heads", heads.query_heads},
                                 {"num_hidden_layers", heads.layers},
                                 {"block_configs", blocks},
                                 {"num_key_value_heads_per_layer", groups}};
  return {{"", json_text(document, 1) + "\n"}};
}

search::Grouping BlockConfigsFormat::read(const std::filesystem::path& path,
                                          const std::optional<HeadCounts>& model) const {
  const json document = read_json_file(path);
  const std::string where = path.string();
  require_object(document, where);
  const int query_heads = read_query_heads(document, model, where);
  const int kv_heads = model ? model->kv_heads : query_heads;
  search::Grouping grouping;
  for (const std::int64_t groups : read_groups(document, query_heads, where)) {
    const std::string place = fmt::format("{}, layer {}", where, grouping.layers.size());
    const Partition partition = neighbours(groups, kv_heads, place);
    grouping.layers.push_back({partition, partition});
  }
  const auto stated = optional_int(document, "num_hidden_layers", where, 1, std::int64_t{1} << 40);
  if (stated && std::cmp_not_equal(*stated, grouping.layers.size())) {
    throw InputError({.what = "number of layers is not that of num_hidden_layers",
                      .where = where,
                      .expected = std::to_string(*stated),
                      .found = std::to_string(grouping.layers.size())});
  }
  require_counts(grouping, model, where);
  return grouping;
}

const GroupingFormat& block_configs_format() {
  static const BlockConfigsFormat instance;
  return instance;
}

}  // namespace regroup::models
