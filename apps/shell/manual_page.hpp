#pragma once

#include <string>
#include <vector>

#include "apps/shell/command_words.hpp"

namespace regroup::apps {

/// A page of the manual: the command it is of, "search", or nothing for the program's; its file's
/// name, "regroup-search.1"; and its text for man(1).
struct ManualPage {
  std::string command;
  std::string file;
  std::string text;
};

/// The page of the program, and one of each of its commands.
std::vector<ManualPage> manual_pages(const CommandWords& program);

}  // namespace regroup::apps
