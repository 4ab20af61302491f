#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "search/method/method.hpp"

namespace regroup::search {

/// Every method with default options, in the order of the table.
std::vector<std::unique_ptr<SearchMethod>> make_methods();
/// Their names, in the same order; they stay valid.
std::vector<std::string_view> method_names();
/// The method called `name` on the command line, with default options; throws InputError that lists
/// the known ones.
std::unique_ptr<SearchMethod> make_method(std::string_view name);

/// The options of these methods, each once, bound to all that have it.
std::vector<Option> method_options(std::span<const std::unique_ptr<SearchMethod>> methods);

}  // namespace regroup::search
