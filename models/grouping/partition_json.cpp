#include "models/grouping/grouping_layers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>

#include "models/files/json_fields.hpp"
#include "models/files/json_file.hpp"
#include "search/base/error.hpp"

namespace regroup::models {

search::Partition read_partition(const nlohmann::json& groups, int heads,
                                 const std::string& where) {
  if (!groups.is_array()) {
    throw InputError({.what = "groups are not a list",
                      .where = where,
                      .expected = "an array of arrays of head ids",
                      .found = describe_json(groups)});
  }
  std::vector<std::vector<int>> ids;
  for (const nlohmann::json& group : groups) {
    if (!group.is_array()) {
      throw InputError({.what = "group is not a list of heads",
                        .where = where,
                        .expected = "an array of head ids",
                        .found = describe_json(group)});
    }
    ids.emplace_back();
    for (const nlohmann::json& head : group) {
      constexpr std::int64_t kAnyInt = 1'000'000;  // the partition itself says what is in range
      ids.back().push_back(static_cast<int>(checked_int(head, where, -kAnyInt, kAnyInt)));
    }
  }
  try {
    return search::Partition::from_groups(heads, ids);
  } catch (const InputError& error) {
    ErrorParts parts = error.parts();
    parts.where = where;
    throw InputError(parts);
  }
}

int count_heads(const nlohmann::json& groups) {
  constexpr std::int64_t kMost = search::Partition::kMaxHeads;
  std::int64_t heads = 1;
  if (!groups.is_array()) return 1;
  for (const nlohmann::json& group : groups) {
    if (!group.is_array()) continue;
    for (const nlohmann::json& head : group) {
      if (!head.is_number_unsigned()) continue;  // read_partition has the message
      const auto id = std::min<std::uint64_t>(head.get<std::uint64_t>(), kMost - 1);
      heads = std::max(heads, static_cast<std::int64_t>(id) + 1);
    }
  }
  return static_cast<int>(heads);
}

std::vector<search::Group> read_allocation(const nlohmann::json& query_to_group,
                                           const nlohmann::json& groups,
                                           const search::Partition& partition,
                                           std::size_t query_heads, const std::string& where) {
  if (query_to_group.size() != query_heads) {
    throw InputError({.what = "allocation is not one group for each query head",
                      .where = where,
                      .expected = fmt::format("{} entries", query_heads),
                      .found = fmt::format("{} entries", query_to_group.size())});
  }
  std::vector<search::Group> allocation;
  for (const nlohmann::json& entry : query_to_group) {
    const auto place = checked_int(entry, where, 0, partition.groups() - 1);
    // The list may be in any order; the partition numbers its groups by their first member.
    const auto& listed = groups[static_cast<std::size_t>(place)];
    allocation.push_back(partition.group_of(search::Head(listed[0].get<int>())));
  }
  return allocation;
}

}  // namespace regroup::models
