#pragma once

#include <string>
#include <vector>

#include "apps/report/child_process.hpp"

namespace regroup::tests {

/// Runs the built program with these arguments and waits for it.
apps::ProcessResult run_regroup(std::vector<std::string> arguments);

/// Lines of a text.
std::size_t count_lines(const std::string& text);

}  // namespace regroup::tests
