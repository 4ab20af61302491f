#include <fmt/format.h>
#include <fmt/ranges.h>

#include "apps/shell/completion.hpp"

namespace regroup::apps {
namespace {

/// Text inside single quotes, in which `special` means something to _arguments or _describe.
std::string quoted(const std::string& text, const std::string& special) {
  std::string result;
  for (const char c : text) {
    if (c == '\'') {
      result += "'\\''";
      continue;
    }
    if (special.find(c) != std::string::npos) result += '\\';
    result += c;
  }
  return result;
}

std::string action_of(const OptionWords& option) {
  if (!option.choices.empty()) return fmt::format("({})", fmt::join(option.choices, " "));
  return option.is_path() ? "_files" : " ";
}

/// The specifications of an option for _arguments, one for each name.
std::string specifications(const OptionWords& option) {
  std::string lines;
  for (const std::string& name : option.names) {
    lines += fmt::format(" \\\n    '*{}[{}]", name, quoted(option.help, "[]:\\"));
    if (!option.unit.empty()) {
      lines += fmt::format(":{}:{}", quoted(option.unit, ":\\"), action_of(option));
    }
    lines += "'";
  }
  return lines;
}

std::string function_name(const CommandWords& command) {
  return command.path.empty() ? "_regroup" : "_regroup_" + command.words("_");
}

/// The function of a command without commands of its own.
std::string leaf_function(const CommandWords& command) {
  std::string text = function_name(command) + "() {\n  _arguments";
  for (const OptionWords& option : command.options) text += specifications(option);
  for (const OptionWords& argument : command.arguments) {
    text += fmt::format(" \\\n    '*:{}:{}'", argument.name(), action_of(argument));
  }
  return text + "\n}\n";
}

std::string function_of(const CommandWords& command) {
  if (command.commands.empty()) return leaf_function(command);
  std::string text = function_name(command) + "() {\n  local context state line\n";
  text += "  local -a commands\n  _arguments -C";
  for (const OptionWords& option : command.options) text += specifications(option);
  text += " \\\n    '1: :->command' \\\n    '*:: :->rest'\n  case $state in\n";
  text += "    command)\n      commands=(\n";
  std::string cases;
  for (const CommandWords& inner : command.commands) {
    text += fmt::format("        '{}:{}'\n", inner.path.back(), quoted(inner.help, ":\\"));
    cases += fmt::format("        {}) {} ;;\n", inner.path.back(), function_name(inner));
  }
  text += "      )\n      _describe -t commands command commands ;;\n";
  text += "    rest)\n      case $words[1] in\n" + cases + "      esac ;;\n  esac\n}\n";
  return text;
}

}  // namespace

std::string zsh_completion(const CommandWords& program) {
  std::string text = "#compdef regroup\n# Made by `regroup completion zsh`.\n";
  for (const CommandWords* command : all_commands_of(program)) text += function_of(*command);
  return text + "_regroup \"$@\"\n";
}

}  // namespace regroup::apps
