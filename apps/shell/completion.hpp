#pragma once

#include <string>
#include <vector>

#include "apps/shell/command_words.hpp"

namespace regroup::apps {

/// Scripts with which a shell completes commands, options, names to choose from, and files.
std::string bash_completion(const CommandWords& program);
std::string zsh_completion(const CommandWords& program);
std::string fish_completion(const CommandWords& program);

/// A shell and its script.
struct CompletedShell {
  const char* name;
  std::string (*script)(const CommandWords& program);
};
/// Every shell that is completed.
const std::vector<CompletedShell>& completed_shells();

}  // namespace regroup::apps
