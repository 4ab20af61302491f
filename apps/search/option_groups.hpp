#pragma once

#include <CLI/CLI.hpp>

namespace regroup::apps {

/// Puts the options of `search` under the headings of its help: what most people need first.
void group_search_options(CLI::App& command);

/// The heading of options that no other one names.
inline constexpr const char* kOtherOptions = "Options";

}  // namespace regroup::apps
