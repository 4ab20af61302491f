#include "models/architecture/config_parts.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <optional>

#include "models/files/json_fields.hpp"
#include "models/files/json_file.hpp"
#include "search/base/error.hpp"
#include "search/groupings/partition.hpp"

namespace regroup::models {
namespace {

using nlohmann::json;

constexpr std::int64_t kLargestHeadDim = std::int64_t{1} << 24;
constexpr const char* kKvHeadsByLayer = "num_key_value_heads_per_layer";
constexpr const char* kQueryHeadsByLayer = "num_attention_heads_per_layer";

/// Heads that a layer can have, padded ones included.
constexpr std::int64_t kMostHeads = std::int64_t{1} << 16;

void require_division(int whole, std::string_view whole_name, int part, std::string_view part_name,
                      const std::string& where) {
  if (whole % part == 0) return;
  throw InputError({.what = fmt::format("{} does not divide {}", part_name, whole_name),
                    .where = where,
                    .expected = fmt::format("a divisor of {} = {}", whole_name, whole),
                    .found = fmt::format("{} = {}", part_name, part)});
}

/// One of the lists with an entry for every layer.
std::vector<int> read_counts(const json& config, const char* key, int layers,
                             const std::string& where) {
  const json& listed = required_array(config, key, where);
  if (listed.size() != static_cast<std::size_t>(layers)) {
    throw InputError({.what = fmt::format("{} does not have an entry for every layer", key),
                      .where = field_of(where, key),
                      .expected = fmt::format("{} entries", layers),
                      .found = std::to_string(listed.size())});
  }
  std::vector<int> counts;
  for (const json& count : listed) {
    counts.push_back(static_cast<int>(checked_int(count, field_of(where, key), 1, kMostHeads)));
  }
  return counts;
}

void read_heads_by_layer(const json& config, const std::string& where, ModelConfig& out) {
  const std::vector<int> kv = read_counts(config, kKvHeadsByLayer, out.layers, where);
  std::vector<int> queries(kv.size(), out.query_heads);
  if (config.contains(kQueryHeadsByLayer)) {
    queries = read_counts(config, kQueryHeadsByLayer, out.layers, where);
  }
  for (std::size_t layer = 0; layer < kv.size(); ++layer) {
    require_division(queries[layer], fmt::format("query heads of layer {}", layer), kv[layer],
                     kKvHeadsByLayer, where);
    out.heads_by_layer.push_back({queries[layer], kv[layer]});
  }
}

}  // namespace

void read_heads(const json& config, const ArchitectureSpec& spec, const std::string& where,
                ModelConfig& out) {
  const ConfigFields& fields = spec.fields;
  constexpr std::int64_t kMost = search::Partition::kMaxHeads;
  out.query_heads = static_cast<int>(required_int(config, fields.query_heads, where, 1, kMost));
  out.kv_heads = out.query_heads;
  out.names_kv_heads = !fields.kv_heads.empty();
  if (out.names_kv_heads) {
    out.kv_heads = static_cast<int>(
        optional_int(config, fields.kv_heads, where, 1, kLargestHeadDim).value_or(out.query_heads));
    require_division(out.query_heads, fields.query_heads, out.kv_heads, fields.kv_heads, where);
    if (config.contains(kKvHeadsByLayer)) read_heads_by_layer(config, where, out);
  }
  std::optional<std::int64_t> head_dim;
  if (!fields.head_dim.empty()) {
    head_dim = optional_int(config, fields.head_dim, where, 1, kLargestHeadDim);
  }
  if (!head_dim) {
    require_division(out.width, fields.width, out.query_heads, fields.query_heads, where);
  }
  out.head_dim = static_cast<int>(head_dim.value_or(out.width / out.query_heads));
}

}  // namespace regroup::models
