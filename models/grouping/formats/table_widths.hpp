#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "models/grouping/formats/head_table.hpp"
#include "search/groupings/grouping.hpp"

namespace regroup::models {

/// The columns of a table of heads that say how wide their groups are, a comma before each.
std::string_view width_columns();
/// What stands in them for one head of a layer.
std::string width_fields(const search::LayerGrouping& layer, search::Head head, int head_dim);

/// The widths that the rows of a layer, one for each head in order, state for their groups; absent
/// where they state none or those of heads. `head_dim` is 0 where it is not known. Throws
/// InputError, naming the line: a width that the group cannot have, members of one group that
/// state different ones, widths without a head_dim.
std::optional<search::GroupWidths> table_widths(const std::vector<HeadRow>& rows,
                                                const search::LayerGrouping& groups, int head_dim,
                                                const std::string& where);

}  // namespace regroup::models
