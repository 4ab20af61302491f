#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "models/grouping/head_counts.hpp"
#include "search/groupings/grouping.hpp"

namespace regroup::models {

/// Throws InputError unless the document says that it is a grouping JSON of version 1.
void require_grouping_json(const nlohmann::json& document, const std::string& where);

/// The layers of a grouping JSON, in the order of their indices. Throws InputError: a layer that is
/// missing, listed twice or out of range, heads overlapping, missing or out of range, an allocation
/// that does not fit the query heads (where those are known) or the groups.
search::Grouping read_layers(const nlohmann::json& document, const HeadCounts& heads,
                             const std::string& where);

}  // namespace regroup::models
