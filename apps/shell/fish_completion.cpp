#include <fmt/format.h>
#include <fmt/ranges.h>

#include "apps/shell/completion.hpp"

namespace regroup::apps {
namespace {

std::string quoted(const std::string& text) {
  std::string result = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') result += '\\';
    result += c;
  }
  return result + "'";
}

/// Holds where the command stands on the line, and none of its own commands yet.
std::string condition(const CommandWords& command) {
  if (command.path.empty()) return "__fish_use_subcommand";
  std::string text;
  for (const std::string& word : command.path) {
    text += fmt::format("{}__fish_seen_subcommand_from {}", text.empty() ? "" : "; and ", word);
  }
  if (command.commands.empty()) return text;
  text += "; and not __fish_seen_subcommand_from";
  for (const CommandWords& inner : command.commands) text += " " + inner.path.back();
  return text;
}

std::string line_of(const CommandWords& command, const std::string& rest) {
  return fmt::format("complete -c regroup -n {} {}\n", quoted(condition(command)), rest);
}

std::string option_line(const CommandWords& command, const OptionWords& option) {
  std::string rest;
  for (const std::string& name : option.names) {
    rest += name.starts_with("--") ? fmt::format("-l {} ", name.substr(2))
                                   : fmt::format("-s {} ", name.substr(1));
  }
  if (!option.choices.empty()) {
    rest += fmt::format("-x -a {} ", quoted(fmt::format("{}", fmt::join(option.choices, " "))));
  } else if (!option.unit.empty()) {
    rest += option.is_path() ? "-r -F " : "-x ";
  }
  return line_of(command, rest + "-d " + quoted(option.help));
}

}  // namespace

std::string fish_completion(const CommandWords& program) {
  std::string text = "# fish completion of regroup, made by `regroup completion fish`.\n";
  for (const CommandWords* command : all_commands_of(program)) {
    for (const CommandWords& inner : command->commands) {
      text +=
          line_of(*command, fmt::format("-f -a {} -d {}", inner.path.back(), quoted(inner.help)));
    }
    for (const OptionWords& option : command->options) text += option_line(*command, option);
  }
  return text;
}

}  // namespace regroup::apps
