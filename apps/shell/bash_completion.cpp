#include <fmt/format.h>
#include <fmt/ranges.h>

#include "apps/shell/completion.hpp"

namespace regroup::apps {
namespace {

/// "'search --kv'|'search -o'": a pattern of `case` for the option behind its command.
std::string option_pattern(const CommandWords& command, const OptionWords& option) {
  std::string pattern;
  for (const std::string& name : option.names) {
    pattern += fmt::format("{}'{} {}'", pattern.empty() ? "" : "|", command.words(), name);
  }
  return pattern;
}

/// What completes the value of an option; nothing where files do.
std::string value_case(const CommandWords& command, const OptionWords& option) {
  if (option.unit.empty()) return "";
  const std::string pattern = option_pattern(command, option);
  if (!option.choices.empty()) {
    return fmt::format("    {}) COMPREPLY=($(compgen -W '{}' -- \"$cur\")); return ;;\n", pattern,
                       fmt::join(option.choices, " "));
  }
  if (option.is_path()) return fmt::format("    {}) return ;;\n", pattern);
  return fmt::format("    {}) compopt +o default +o bashdefault; return ;;\n", pattern);
}

std::string command_pattern(const CommandWords& parent, const CommandWords& command) {
  return fmt::format("'{} {}'", parent.words(), command.path.back());
}

std::string words_case(const CommandWords& command) {
  std::vector<std::string> commands;
  for (const CommandWords& inner : command.commands) commands.push_back(inner.path.back());
  for (const OptionWords& argument : command.arguments) {
    commands.insert(commands.end(), argument.choices.begin(), argument.choices.end());
  }
  std::vector<std::string> options;
  for (const OptionWords& option : command.options) {
    options.insert(options.end(), option.names.begin(), option.names.end());
  }
  return fmt::format("    '{}') commands='{}' options='{}' ;;\n", command.words(),
                     fmt::join(commands, " "), fmt::join(options, " "));
}

}  // namespace

std::string bash_completion(const CommandWords& program) {
  std::string known;
  std::string values;
  std::string words;
  for (const CommandWords* command : all_commands_of(program)) {
    for (const CommandWords& inner : command->commands) {
      known += (known.empty() ? "" : "|") + command_pattern(*command, inner);
    }
    for (const OptionWords& option : command->options) values += value_case(*command, option);
    words += words_case(*command);
  }
  return fmt::format(R"(# bash completion of regroup, made by `regroup completion bash`.
_regroup() {{
  local cur=${{COMP_WORDS[COMP_CWORD]}} prev=${{COMP_WORDS[COMP_CWORD-1]}}
  local command= commands= options= i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; ++i)); do
    case "$command ${{COMP_WORDS[i]}}" in
      {}) command=${{command:+$command }}${{COMP_WORDS[i]}} ;;
    esac
  done
  case "$command $prev" in
{}  esac
  case "$command" in
{}  esac
  case "$cur" in
    -*) COMPREPLY=($(compgen -W "$options" -- "$cur")) ;;
    *) COMPREPLY=($(compgen -W "$commands" -- "$cur")) ;;
  esac
}}
complete -o bashdefault -o default -F _regroup regroup
)",
                     known, values, words);
}

}  // namespace regroup::apps
