#include "models/architecture/config_parts.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

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
constexpr const char* kKeyWidths = "key_width_per_layer";
constexpr const char* kValueWidths = "value_width_per_layer";
constexpr const char* kKeyFrequencies = "key_frequencies_per_layer";

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

void require_entries(const json& listed, int layers, const char* key, const std::string& where) {
  if (listed.size() == static_cast<std::size_t>(layers)) return;
  throw InputError({.what = fmt::format("{} does not have an entry for every layer", key),
                    .where = field_of(where, key),
                    .expected = fmt::format("{} entries", layers),
                    .found = std::to_string(listed.size())});
}

/// One of the lists with an entry for every layer.
std::vector<int> read_counts(const json& config, const char* key, int layers,
                             const std::string& where) {
  const json& listed = required_array(config, key, where);
  require_entries(listed, layers, key, where);
  std::vector<int> counts;
  for (const json& count : listed) {
    counts.push_back(static_cast<int>(checked_int(count, field_of(where, key), 1, kMostHeads)));
  }
  return counts;
}

/// The list with a list for every layer of numbers below `end`.
std::vector<std::vector<int>> read_frequencies(const json& config, int layers, int end,
                                               const std::string& where) {
  const json& listed = required_array(config, kKeyFrequencies, where);
  const std::string place = field_of(where, kKeyFrequencies);
  require_entries(listed, layers, kKeyFrequencies, where);
  std::vector<std::vector<int>> result;
  for (const json& layer : listed) {
    if (!layer.is_array())
      refuse_field(where, kKeyFrequencies, "a list for each layer", layer.dump());
    result.emplace_back();
    for (const json& frequency : layer) {
      result.back().push_back(static_cast<int>(checked_int(frequency, place, 0, end - 1)));
    }
  }
  return result;
}

/// Widths that layers have of their own (layout free).
void read_widths_by_layer(const json& config, const std::string& where, ModelConfig& out) {
  const std::vector<int> keys = read_counts(config, kKeyWidths, out.layers, where);
  const std::vector<int> values = read_counts(config, kValueWidths, out.layers, where);
  out.key_frequencies = read_frequencies(config, out.layers, out.head_dim / 2, where);
  for (std::size_t layer = 0; layer < keys.size(); ++layer) {
    out.heads_by_layer[layer].key_width = keys[layer];
    out.heads_by_layer[layer].value_width = values[layer];
    if (std::cmp_equal(2 * out.key_frequencies[layer].size(), keys[layer])) continue;
    throw InputError(
        {.what = fmt::format("keys of layer {} have not two rows for each frequency", layer),
         .where = field_of(where, kKeyFrequencies),
         .expected = fmt::format("{} frequencies", keys[layer] / 2),
         .found = std::to_string(out.key_frequencies[layer].size())});
  }
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
    out.heads_by_layer.push_back({queries[layer], kv[layer], out.head_dim, out.head_dim});
  }
  if (config.contains(kKeyWidths)) read_widths_by_layer(config, where, out);
}

}  // namespace

void read_heads(const json& config, const ArchitectureSpec& spec, const std::string& where,
                ModelConfig& out) {
  const ConfigFields& fields = spec.fields;
  constexpr std::int64_t kMost = search::Partition::kMaxHeads;
  out.query_heads = static_cast<int>(required_int(config, fields.query_heads, where, 1, kMost));
  std::optional<std::int64_t> head_dim;
  if (!fields.head_dim.empty()) {
    head_dim = optional_int(config, fields.head_dim, where, 1, kLargestHeadDim);
  }
  if (!head_dim) {
    require_division(out.width, fields.width, out.query_heads, fields.query_heads, where);
  }
  out.head_dim = static_cast<int>(head_dim.value_or(out.width / out.query_heads));
  out.takes_wide_heads = spec.takes_wide_heads;
  out.kv_heads = out.query_heads;
  out.names_kv_heads = !fields.kv_heads.empty();
  if (out.names_kv_heads) {
    out.kv_heads = static_cast<int>(
        optional_int(config, fields.kv_heads, where, 1, kLargestHeadDim).value_or(out.query_heads));
    require_division(out.query_heads, fields.query_heads, out.kv_heads, fields.kv_heads, where);
    if (config.contains(kKvHeadsByLayer)) read_heads_by_layer(config, where, out);
  }
}

}  // namespace regroup::models
