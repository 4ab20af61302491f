#pragma once

#include "search/grouping.hpp"
#include "search/problem.hpp"
#include "search/random.hpp"

namespace regroup::search {

/// Neighbour GQA (arXiv 2305.13245): every layer by the same neighbour partition, with the most
/// groups for which the model stores at most `kv_heads`. Throws InputError if one group a layer is
/// more than that.
Grouping neighbour_grouping(int layers, int heads, int kv_heads);

/// A random grouping of exactly `kv_heads` (or as near below as the sharing allows), every unit's
/// number of groups and then its partition drawn at random: group counts are dealt one at a time to
/// a random unit that has room, heads are shuffled and dealt so that no group stays empty.
Grouping random_grouping(int layers, int heads, PartitionSharing sharing, int kv_heads,
                         RandomKey key);

}  // namespace regroup::search
