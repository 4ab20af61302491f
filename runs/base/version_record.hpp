#pragma once

#include <nlohmann/json.hpp>

namespace regroup::runs {

/// Versions that a result depends on: of the program, LibTorch and the compiler.
nlohmann::ordered_json version_record();

}  // namespace regroup::runs
