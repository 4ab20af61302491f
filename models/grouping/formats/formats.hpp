#pragma once

#include "models/grouping/formats/grouping_format.hpp"

namespace regroup::models {

// The formats of the table; the source file of each says what it holds.
const GroupingFormat& chai_format();
const GroupingFormat& chai_layers_format();
const GroupingFormat& block_configs_format();
const GroupingFormat& csv_format();

}  // namespace regroup::models
