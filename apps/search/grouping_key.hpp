#pragma once

#include <string>
#include <string_view>

#include "search/grouping.hpp"

namespace regroup::apps {

/// What tells two models converted from one source apart, as text: the merge operator and every
/// layer's partitions and allocation. State files are named by its hash.
std::string grouping_content(const search::Grouping& grouping, std::string_view merge);

}  // namespace regroup::apps
