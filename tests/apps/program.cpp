#include "tests/apps/program.hpp"

#include <algorithm>

#include "tests/support/paths.hpp"

namespace regroup::tests {

apps::ProcessResult run_regroup(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), program_path());
  return apps::run_program(arguments, "");
}

std::size_t count_lines(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

}  // namespace regroup::tests
