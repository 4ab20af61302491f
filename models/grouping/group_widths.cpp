#include "models/grouping/group_widths.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "models/files/json_fields.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

using nlohmann::json;

constexpr std::string_view kKeyWidths = "key_widths";
constexpr std::string_view kValueWidths = "value_widths";
constexpr std::string_view kFrequencies = "frequencies";
constexpr std::string_view kFree = "free";
constexpr std::string_view kShared = "shared";

/// One for each group of the partition, in its order; the file lists the groups in any order.
std::vector<int> widths_of(const json* stated, const json& groups,
                           const search::Partition& partition, int head_dim,
                           const std::string& where) {
  std::vector<int> widths(static_cast<std::size_t>(partition.groups()), head_dim);
  if (stated == nullptr) return widths;
  if (stated->size() != widths.size()) {
    throw InputError({.what = "there is not one width for each group",
                      .where = where,
                      .expected = fmt::format("{} entries", widths.size()),
                      .found = fmt::format("{} entries", stated->size())});
  }
  for (std::size_t i = 0; i < widths.size(); ++i) {
    const auto members = static_cast<int>(groups[i].size());
    const search::Group group = partition.group_of(search::Head(groups[i][0].get<int>()));
    const std::string place = fmt::format("{}, group {}", where, i);
    const std::int64_t width =
        checked_int((*stated)[i], place, 2, std::int64_t{members} * head_dim);
    widths[group.at()] = checked_width(width, members, head_dim, place);
  }
  return widths;
}

bool are_free(const json& layer, const std::string& where) {
  const auto stated = optional_string(layer, kFrequencies, where);
  if (!stated || *stated == kShared) return false;
  if (*stated == kFree) return true;
  refuse_field(where, kFrequencies, fmt::format("{} or {}", kShared, kFree), *stated);
}

}  // namespace

int checked_width(std::int64_t width, int members, int head_dim, const std::string& where) {
  const std::int64_t most = std::int64_t{members} * head_dim;
  const bool is_even = width % 2 == 0 || width == head_dim;
  if (is_even && width >= 2 && width <= most) return static_cast<int>(width);
  throw InputError({.what = is_even ? "width is none that a group of so many heads can have"
                                    : "width of a group is odd",
                    .where = where,
                    .expected = fmt::format("an even number from 2 to {}", most),
                    .found = std::to_string(width)});
}

std::optional<search::GroupWidths> unless_heads(search::GroupWidths widths) {
  const auto is_head = [&](int width) { return width == widths.head_dim; };
  const bool are_heads =
      std::ranges::all_of(widths.keys, is_head) && std::ranges::all_of(widths.values, is_head);
  return are_heads ? std::nullopt : std::optional(std::move(widths));
}

std::optional<search::GroupWidths> read_widths(const json& layer,
                                               const search::LayerGrouping& groups, int head_dim,
                                               const std::string& where) {
  const json* keys = optional_array(layer, kKeyWidths, where);
  const json* values = optional_array(layer, kValueWidths, where);
  if (keys == nullptr && values == nullptr) return std::nullopt;
  if (head_dim == 0) {
    throw InputError({.what = "widths of groups of a model whose head_dim is not known",
                      .where = where,
                      .expected = "\"model\" with its head_dim, or the model beside the grouping"});
  }
  if (groups.has_allocation()) {
    throw InputError({.what = "groups that have query heads allocated are as wide as a head",
                      .where = where,
                      .expected = "no key_widths and value_widths beside query_to_group"});
  }
  const json& key_groups = layer.at("key_groups");
  const auto listed = layer.find("value_groups");
  const json& value_groups = listed == layer.end() || listed->is_null() ? key_groups : *listed;
  search::GroupWidths widths{
      head_dim, widths_of(keys, key_groups, groups.keys, head_dim, field_of(where, kKeyWidths)),
      widths_of(values, value_groups, groups.values, head_dim, field_of(where, kValueWidths)),
      are_free(layer, where)};
  return unless_heads(std::move(widths));
}

void write_widths(const search::GroupWidths& widths, nlohmann::ordered_json& layer) {
  layer[std::string(kKeyWidths)] = widths.keys;
  layer[std::string(kValueWidths)] = widths.values;
  if (widths.free_frequencies) layer[std::string(kFrequencies)] = kFree;
}

}  // namespace regroup::models
