#pragma once

#include <optional>
#include <string_view>

#include "models/checkpoint/pickle/value.hpp"

namespace regroup::models::pickle {

/// What a pickle means by `module.name`, as far as state dicts need it: a class of storages, an
/// element type or a function. None for every other name; nothing is ever looked up in a Python.
std::optional<Value> find_global(std::string_view module, std::string_view name);

}  // namespace regroup::models::pickle
