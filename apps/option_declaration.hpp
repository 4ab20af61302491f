#pragma once

#include <CLI/CLI.hpp>
#include <vector>

#include "search/base/options.hpp"

namespace regroup::apps {

/// Declares options on a command, in their order; what is given goes into the fields that they are
/// bound to, which must outlive the command.
void declare_options(const std::vector<search::Option>& options, CLI::App& command);

}  // namespace regroup::apps
