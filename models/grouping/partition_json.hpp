#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "search/partition.hpp"

namespace regroup::models {

/// The partition that a list of lists of head ids means, [[0, 3], [1, 2]]. Throws InputError naming
/// `where`, for a value of another kind and as Partition::from_groups.
search::Partition read_partition(const nlohmann::json& groups, int heads, const std::string& where);

}  // namespace regroup::models
