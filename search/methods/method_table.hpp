#pragma once

#include <string_view>
#include <vector>

#include "search/method/method.hpp"

namespace regroup::search {

/// The method called `name` on the command line; throws InputError that lists the known ones.
const SearchMethod& find_method(std::string_view name);
/// In the order of the table.
std::vector<std::string_view> method_names();

}  // namespace regroup::search
