#pragma once

#include <nlohmann/json.hpp>
#include <span>

#include "search/base/options.hpp"

namespace regroup::runs {

/// What options hold, by their keys, in their order; those without a key are left out. An option
/// that is left open is null.
nlohmann::ordered_json option_record(std::span<const search::Option> options);

}  // namespace regroup::runs
