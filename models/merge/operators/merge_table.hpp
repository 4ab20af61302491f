#pragma once

#include <string_view>
#include <vector>

#include "models/merge/merge_operator.hpp"

namespace regroup::models {

/// The operator called `name`; throws InputError that lists the known ones.
const MergeOperator& find_merge(std::string_view name);
/// In the order of the table.
std::vector<std::string_view> merge_names();

}  // namespace regroup::models
