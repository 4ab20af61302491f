#include "apps/shell/manual_page.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <string_view>

#include "regroup/version.hpp"

namespace regroup::apps {
namespace {

/// Text as roff takes it: no line begins with a control character, hyphens can be copied, and what
/// its fonts do not have is spelled otherwise.
std::string escaped(std::string_view text) {
  constexpr std::string_view kDoubleBar = "‖";
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (text.substr(i).starts_with(kDoubleBar)) {
      result += "||";
      i += kDoubleBar.size() - 1;
    } else if (c == '\\') {
      result += "\\e";
    } else if (c == '-') {
      result += "\\-";
    } else {
      result += c;
    }
  }
  const bool is_control = result.starts_with('.') || result.starts_with('\'');
  return is_control ? "\\&" + result : result;
}

std::string upper(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return std::toupper(c); });
  return text;
}

std::string file_of(const CommandWords& command) {
  return command.path.empty() ? "regroup" : "regroup-" + command.words("-");
}

std::string call_of(const CommandWords& command) {
  return command.path.empty() ? "regroup" : "regroup " + command.words();
}

std::string entry(const OptionWords& option) {
  std::string text = ".TP\n";
  for (const std::string& name : option.names) {
    text += fmt::format("{}\\fB{}\\fR", name == option.names.front() ? "" : ", ", escaped(name));
  }
  const bool is_argument = !option.names.front().starts_with('-');
  if (!option.unit.empty() && !is_argument)
    text += fmt::format(" \\fI{}\\fR", escaped(option.unit));
  text += "\n" + escaped(option.help);
  if (!option.default_text.empty()) {
    text += fmt::format(" (default: {})", escaped(option.default_text));
  }
  if (option.is_required && !is_argument) text += " (required)";
  return text + "\n";
}

/// The options under their headings, in the order in which these come first.
std::string options_of(const CommandWords& command) {
  std::vector<std::string> groups;
  for (const OptionWords& option : command.options) {
    if (std::ranges::find(groups, option.group) == groups.end()) groups.push_back(option.group);
  }
  std::string text;
  for (const std::string& group : groups) {
    text += ".SS " + escaped(group) + "\n";
    for (const OptionWords& option : command.options) {
      if (option.group == group) text += entry(option);
    }
  }
  return text;
}

std::string synopsis(const CommandWords& command) {
  std::string text = fmt::format(".B {}\n", call_of(command));
  if (!command.options.empty()) text += ".RI [ OPTIONS ]\n";
  for (const OptionWords& argument : command.arguments) {
    text += argument.is_required ? fmt::format(".I {}\n", argument.name())
                                 : fmt::format(".RI [ {} ]\n", argument.name());
  }
  if (!command.commands.empty()) text += ".I COMMAND\n";
  return text;
}

std::string sections_of(const CommandWords& command) {
  std::string text;
  if (!command.arguments.empty()) text += ".SH ARGUMENTS\n";
  for (const OptionWords& argument : command.arguments) text += entry(argument);
  if (!command.commands.empty()) text += ".SH COMMANDS\n";
  for (const CommandWords& inner : command.commands) {
    text += fmt::format(".TP\n.B {}\n{}\n", inner.words(), escaped(inner.help));
  }
  text += ".SH OPTIONS\n" + options_of(command);
  const bool has_own_pages = command.path.empty();
  if (has_own_pages) return text;
  for (const CommandWords& inner : command.commands) {
    text += fmt::format(".SH {}\n{}\n.PP\n{}", upper(call_of(inner)), escaped(inner.help),
                        synopsis(inner));
    for (const OptionWords& argument : inner.arguments) text += entry(argument);
    text += options_of(inner);
  }
  return text;
}

std::string see_also(const CommandWords& program, const CommandWords& page) {
  std::string names;
  for (const CommandWords* command : all_commands_of(program)) {
    if (command->path.size() > 1 || command->path == page.path) continue;
    names += fmt::format("{}.BR {} (1)", names.empty() ? "" : " ,\n", escaped(file_of(*command)));
  }
  return names + "\n";
}

std::string page_text(const CommandWords& program, const CommandWords& command) {
  std::string text = fmt::format(
      ".TH {} 1 \"\" \"regroup {}\" \"User Commands\"\n.SH NAME\n{} \\- {}\n.SH SYNOPSIS\n{}",
      upper(file_of(command)), kProgramVersion, escaped(file_of(command)), escaped(command.help),
      synopsis(command));
  text += sections_of(command);
  text +=
      ".SH EXIT STATUS\n.TP\n.B 0\ndone\n.TP\n.B 1\nfailed while working\n.TP\n.B 2\nbad usage or "
      "input\n.TP\n.B 130\ninterrupted\n";
  return text + ".SH SEE ALSO\n" + see_also(program, command);
}

}  // namespace

std::vector<ManualPage> manual_pages(const CommandWords& program) {
  std::vector<ManualPage> pages;
  for (const CommandWords* command : all_commands_of(program)) {
    if (command->path.size() > 1) continue;
    pages.push_back({command->words(), file_of(*command) + ".1", page_text(program, *command)});
  }
  return pages;
}

}  // namespace regroup::apps
