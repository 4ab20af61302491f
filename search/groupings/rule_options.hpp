#pragma once

#include <vector>

#include "search/base/options.hpp"
#include "search/groupings/grouping_rules.hpp"

namespace regroup::search {

/// --partitions, --layout, --min-groups, --group-limit and --freeze-layers, bound to `rules`.
std::vector<Option> options(GroupingRules& rules);

}  // namespace regroup::search
