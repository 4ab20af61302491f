#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "models/grouping/head_counts.hpp"
#include "search/groupings/grouping.hpp"
#include "search/groupings/partition.hpp"

namespace regroup::models {

/// The versions of a grouping JSON: groups as wide as a head, and groups with widths of their own.
inline constexpr int kGroupingVersion = 1;
inline constexpr int kWideGroupingVersion = 2;

/// Throws InputError unless the document says that it is a grouping JSON of version 1 or 2.
void require_grouping_json(const nlohmann::json& document, const std::string& where);

/// The layers of a grouping JSON, in the order of their indices. Throws InputError: a layer that is
/// missing, listed twice or out of range, heads overlapping, missing or out of range, an allocation
/// that does not fit the query heads (where those are known) or the groups.
search::Grouping read_layers(const nlohmann::json& document, const HeadCounts& heads,
                             const std::string& where);

/// The partition that a list of lists of head ids means, [[0, 3], [1, 2]]. Throws InputError naming
/// `where`, for a value of another kind and as Partition::from_groups.
search::Partition read_partition(const nlohmann::json& groups, int heads, const std::string& where);

/// How many heads a list of groups speaks of: the highest head id and one, from 1 to
/// Partition::kMaxHeads. What is no list of groups counts as one head: read_partition refuses it.
int count_heads(const nlohmann::json& groups);

/// What the array "query_to_group" means, one entry for each of the model's query heads: places in
/// the list `groups`, of which `partition` was read. Throws InputError naming `where`, for another
/// number of entries and for one that is no place in the list.
std::vector<search::Group> read_allocation(const nlohmann::json& query_to_group,
                                           const nlohmann::json& groups,
                                           const search::Partition& partition,
                                           std::size_t query_heads, const std::string& where);

}  // namespace regroup::models
