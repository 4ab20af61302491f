#pragma once

#include "search/base/random.hpp"
#include "search/groupings/grouping.hpp"
#include "search/problem/problem.hpp"
#include "search/problem/unit_front.hpp"

namespace regroup::search {

/// Neighbour GQA (arXiv 2305.13245) under the problem's rules: every unit by the neighbour
/// partition with `groups` groups, or the nearest smaller number that it may have.
Grouping neighbour_grouping(const GroupingProblem& problem, int groups);

/// The one with the most groups for which the model stores at most `kv_heads`. Throws InputError if
/// the smallest grouping is larger than that.
Grouping neighbour_grouping_within(const GroupingProblem& problem, int kv_heads);

/// MQA under the problem's rules: the fewest groups in every unit.
Grouping mqa_grouping(const GroupingProblem& problem);

/// A random grouping of at most `kv_heads`, as near to it as chance and the rules allow: group
/// counts grow step by step in random units with room (in all together, in layout standard), heads
/// are shuffled and dealt so that no group stays empty. Throws as `neighbour_grouping_within`.
Grouping random_grouping(const GroupingProblem& problem, int kv_heads, RandomKey key);

/// A random partition into `groups` groups: each gets one of the shuffled heads, the others go
/// anywhere, or, with equal sizes, in turn (sizes then differ by at most 1).
Partition random_partition(int heads, int groups, GroupSizes sizes, RandomStream& random);

}  // namespace regroup::search
