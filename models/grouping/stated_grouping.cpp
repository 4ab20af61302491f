#include "models/grouping/stated_grouping.hpp"

#include <nlohmann/json.hpp>

#include "models/files/json_fields.hpp"
#include "models/files/json_file.hpp"
#include "models/grouping/grouping_layers.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

using nlohmann::json;

constexpr int kMostLayers = 1'000'000;

/// The counts that the groups themselves show.
HeadCounts counts_of_groups(const json& layers, const std::string& where) {
  if (layers.empty()) {
    throw InputError({.what = "grouping has no layers",
                      .where = field_of(where, "layers"),
                      .expected = "one entry for each attention layer",
                      .found = "none"});
  }
  const json& groups = required_array(layers[0], "key_groups", field_of(where, "layers"));
  return {.layers = static_cast<int>(layers.size()), .kv_heads = count_heads(groups)};
}

HeadCounts read_counts(const json& document, const std::string& where) {
  HeadCounts heads = counts_of_groups(required_array(document, "layers", where), where);
  const json* model = optional_object(document, "model", where);
  if (model == nullptr) return heads;
  const std::string place = field_of(where, "model");
  const auto stated = [&](std::string_view key, int otherwise, int most) {
    return static_cast<int>(optional_int(*model, key, place, 1, most).value_or(otherwise));
  };
  heads.layers = stated("layers", heads.layers, kMostLayers);
  heads.kv_heads = stated("kv_heads", heads.kv_heads, search::Partition::kMaxHeads);
  heads.query_heads = stated("query_heads", 0, kMostLayers);
  heads.head_dim = stated("head_dim", 0, kMostLayers);
  if (heads.query_heads % heads.kv_heads == 0) return heads;
  throw InputError(
      {.what = "query heads are no multiple of KV heads",
       .where = place,
       .expected = "query_heads divisible by kv_heads",
       .found = std::to_string(heads.query_heads) + " and " + std::to_string(heads.kv_heads)});
}

}  // namespace

StatedGrouping read_stated_grouping(const std::filesystem::path& file) {
  const json document = read_json_file(file);
  const std::string where = file.string();
  require_grouping_json(document, where);
  const HeadCounts heads = read_counts(document, where);
  return {read_layers(document, heads, where), heads};
}

}  // namespace regroup::models
