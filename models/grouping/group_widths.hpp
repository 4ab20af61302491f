#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "search/groupings/grouping.hpp"

namespace regroup::models {

/// `width` as that of a group of `members` heads. Throws InputError where it is odd, or larger than
/// the group can fill.
int checked_width(std::int64_t width, int members, int head_dim, const std::string& where);

/// Absent where every group is as wide as a head.
std::optional<search::GroupWidths> unless_heads(search::GroupWidths widths);

/// The widths that a layer of a grouping JSON, version 2, states for its groups, which `groups` has
/// as the layer lists them; absent where every group is as wide as a head. Throws InputError: not
/// one entry for each group, a width that is odd or larger than its group can fill, widths beside
/// an allocation, a `head_dim` that is not known (0).
std::optional<search::GroupWidths> read_widths(const nlohmann::json& layer,
                                               const search::LayerGrouping& groups, int head_dim,
                                               const std::string& where);

/// Adds the fields that `read_widths` reads.
void write_widths(const search::GroupWidths& widths, nlohmann::ordered_json& layer);

}  // namespace regroup::models
