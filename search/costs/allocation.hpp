#pragma once

#include <span>
#include <vector>

#include "search/costs/cost_table.hpp"
#include "search/groupings/partition.hpp"

namespace regroup::search {

/// The allocation that deals query heads to groups in order: the first `counts[0]` of them to group
/// 0, and so on. Example: 2, 0, 1 → groups 0 0 2.
std::vector<Group> allocate_in_order(std::span<const int> counts);

/// What it costs that each query head is served by the merge of its group (METHODS §4): the sum of
/// serving costs over the H query heads, divided by the H / H_kv of them that share a source KV
/// head, so that it equals the partition's cost where each reads the group of its own head.
/// `query_to_group` has H entries. Throws InputError if the table cannot price it.
double allocation_cost(const CostTable& table, const Partition& partition,
                       std::span<const Group> query_to_group);

}  // namespace regroup::search
